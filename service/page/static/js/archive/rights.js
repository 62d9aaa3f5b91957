// What a login allows; the server checks it all the same.

/** Whether an identity has all of some scopes; admin has every one. */
export function isAllowed({ scopes }, wanted) {
  return scopes.includes("admin") || wanted.every((scope) => scopes.includes(scope));
}
