// What is done at once, by a button or a key; tools are what is done with a pointer.

/** Commands have a `name`, a `label`, `keys` as keys.js names them, `run()`, and where they can be on or off, `isOn()`, or
 * disabled, `isAble()`. One that `isKeyOnly` has no button. */
export function commandsOf({ viewer, toolbox, cine }) {
  const { placement } = viewer;
  const { undo } = toolbox;
  const placed = (change) => () => {
    change();
    viewer.draw();
  };
  const isShown = () => Boolean(viewer.shown?.frame);
  const view = (name, label, keys, change) => ({ name, label, keys, run: placed(change), isAble: isShown });
  return [
    { name: "undo", label: "Undo", keys: ["u", "Ctrl+z"], run: () => undo.undo(), isAble: () => undo.canUndo },
    { name: "redo", label: "Redo", keys: ["Shift+u", "Ctrl+Shift+z", "Ctrl+y"], run: () => undo.redo(), isAble: () => undo.canRedo },
    {
      name: "add",
      label: "Add regions",
      keys: ["+"],
      run: () => toolbox.add(!toolbox.isAdding),
      isOn: () => toolbox.isAdding,
    },
    {
      ...view("invert", "Invert greys", ["i"], () => {
        viewer.isInverted = !viewer.isInverted;
      }),
      isOn: () => viewer.isInverted,
    },
    view("flip", "Flip", ["h"], () => placement.flip()),
    view("rotate", "Rotate", ["r"], () => placement.turn()),
    { ...view("rotate-left", "Rotate to the left", ["Shift+r"], () => placement.turn(-1)), isKeyOnly: true },
    view("reset", "Reset the view", ["0"], () => {
      placement.reset();
      viewer.isInverted = false;
    }),
    {
      name: "cine",
      label: "Play",
      keys: ["c", " "],
      run: () => cine.toggle(),
      isOn: () => cine.isPlaying,
      isAble: () => (viewer.shown?.count ?? 0) > 1,
    },
  ];
}
