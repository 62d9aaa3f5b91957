// Draws frames one to one on both surfaces, and gives what is on them beside the server's own pictures.

const [source, windows, tellDone] = arguments;

const draw = async () => {
  const modules = "/static/js";
  const { FlatSurface } = await import(`${modules}/drawing/flat_surface.js`);
  const { GlSurface } = await import(`${modules}/drawing/gl_surface.js`);
  const { Placement } = await import(`${modules}/drawing/placement.js`);
  const { Frame } = await import(`${modules}/pixels/frame.js`);
  const { shadesOf } = await import(`${modules}/pixels/shades.js`);
  const api = await import(`${modules}/api.js`);

  const { readPixels, readPicture } = source.file ? await ofFile(api, source.file) : await indexed(api, source.collection);
  const frame = await Frame.of({}, await readPixels());
  const [one, other] = [0, 1].map(() => document.createElement("canvas"));
  const surfaces = [new GlSurface(one, one.getContext("webgl2", { alpha: false, antialias: false })), new FlatSurface(other)];
  const placement = new Placement();
  const pictures = [];
  for (const chosen of windows) {
    const shades = shadesOf(frame, chosen);
    const drawn = surfaces.map((surface) => {
      Object.assign(surface.canvas, { width: frame.columns, height: frame.rows });
      placement.fit(frame.columns, frame.rows, frame.columns, frame.rows);
      surface.draw(frame, shades, placement.matrix);
      return bytesOn(surface.canvas);
    });
    pictures.push({ drawn: await Promise.all(drawn.map(base64)), served: await readPicture(chosen) });
  }
  return { surfaces: surfaces.map(({ kind }) => kind), units: frame.units, rows: frame.rows, columns: frame.columns, pictures };
};

async function indexed(api, collection) {
  const series = (await api.listSeries()).find((one) => one.collection === collection);
  const [listed] = await api.listFrames(series);
  const picture = (chosen) => fetch(api.imageUrl(listed, chosen));
  return { readPixels: () => api.readPixels(listed), readPicture: async (chosen) => contentOf(await picture(chosen)) };
}

async function ofFile(api, content) {
  const file = new File([Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0))], "file");
  const picture = (chosen) => {
    const body = new FormData();
    body.append("file", file);
    ["centre", "width"].forEach((name, place) => chosen && body.append(name, chosen[place]));
    return fetch("/api/v1/render", { method: "POST", body, headers: { "X-HMAR-Page": "1" } });
  };
  return { readPixels: () => api.readFilePixels(file, 1), readPicture: async (chosen) => contentOf(await picture(chosen)) };
}

/** Null where the server has no such picture: it knows no windows in units of a modality. */
const contentOf = async (response) => (response.ok ? base64(await response.blob()) : null);

/** The bytes on a canvas, before what follows can clear it. */
function bytesOn(canvas) {
  const copy = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
  const context = copy.getContext("2d", { willReadFrequently: true });
  context.drawImage(canvas, 0, 0);
  return new Blob([context.getImageData(0, 0, copy.width, copy.height).data]);
}

const base64 = (blob) =>
  new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.split(",")[1] ?? "");
    reader.readAsDataURL(blob);
  });

draw().then(tellDone, (error) => tellDone({ error: `${error.stack ?? error}` }));
