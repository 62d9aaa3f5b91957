// Pictures with WebGL2. The greys are looked up, not computed, so that every GPU shows the same ones.

import { inverse } from "./placement.js";

const VERTICES = `#version 300 es
void main() {
  gl_Position = vec4(vec2(gl_VertexID & 1, gl_VertexID >> 1) * 4.0 - 1.0, 0.0, 1.0);
}`;

const FRAGMENTS = `#version 300 es
precision highp float;
precision highp int;
precision highp usampler2D;
uniform usampler2D values;
uniform usampler2D shades;
uniform mat3 toImage;
uniform ivec2 size;
uniform float height;
uniform bool coloured;
out vec4 colour;

float grey(uint stored) {
  int place = int(stored);
  return float(texelFetch(shades, ivec2(place & 255, place >> 8), 0).r) / 255.0;
}

vec3 pixel(ivec2 at) {
  uvec4 stored = texelFetch(values, clamp(at, ivec2(0), size - 1), 0);
  return coloured ? vec3(grey(stored.r), grey(stored.g), grey(stored.b)) : vec3(grey(stored.r));
}

void main() {
  vec2 at = (toImage * vec3(gl_FragCoord.x, height - gl_FragCoord.y, 1.0)).xy;
  if (any(lessThan(at, vec2(0.0))) || any(greaterThanEqual(at, vec2(size)))) {
    colour = vec4(0.0, 0.0, 0.0, 1.0);
    return;
  }
  vec2 corner = floor(at - 0.5);
  vec2 share = at - 0.5 - corner;
  ivec2 first = ivec2(corner);
  vec3 above = mix(pixel(first), pixel(first + ivec2(1, 0)), share.x);
  vec3 below = mix(pixel(first + ivec2(0, 1)), pixel(first + ivec2(1, 1)), share.x);
  colour = vec4(mix(above, below, share.y), 1.0);
}`;

export class GlSurface {
  kind = "webgl2";
  #frame = null;
  #shades = null;

  constructor(canvas, context) {
    Object.assign(this, { canvas, gl: context });
    this.#prepare();
    this.most = context.getParameter(context.MAX_TEXTURE_SIZE);
  }

  /** Not when the GPU was taken away, nor where an image is larger than its textures. */
  takes({ columns, rows }) {
    return !this.gl.isContextLost() && Math.max(columns, rows) <= this.most;
  }

  /** Draw a frame through its greys; `matrix` takes image points to pixels of the canvas. */
  draw(frame, shades, matrix) {
    const { gl, at } = this;
    const [a, b, c, d, e, f] = inverse(matrix);
    if (frame !== this.#frame) this.#loadFrame(frame);
    if (shades !== this.#shades) this.#loadShades(shades);
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.uniformMatrix3fv(at.toImage, false, [a, b, 0, c, d, 0, e, f, 1]);
    gl.uniform2i(at.size, frame.columns, frame.rows);
    gl.uniform1f(at.height, this.canvas.height);
    gl.uniform1i(at.coloured, frame.coloured ? 1 : 0);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  clear() {
    this.gl.clear(this.gl.COLOR_BUFFER_BIT);
  }

  #prepare() {
    const { gl } = this;
    this.#frame = this.#shades = null;
    const program = linked(gl);
    gl.useProgram(program);
    const names = ["values", "shades", "toImage", "size", "height", "coloured"];
    this.at = Object.fromEntries(names.map((name) => [name, gl.getUniformLocation(program, name)]));
    gl.uniform1i(this.at.values, 0);
    gl.uniform1i(this.at.shades, 1);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.clearColor(0, 0, 0, 1);
    [0, 1].forEach((unit) => texture(gl, unit));
  }

  #loadFrame(frame) {
    const { gl } = this;
    const { columns, rows, coloured, values } = frame;
    gl.activeTexture(gl.TEXTURE0);
    const size = [columns, rows, 0];
    if (coloured) gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGB8UI, ...size, gl.RGB_INTEGER, gl.UNSIGNED_BYTE, values);
    else gl.texImage2D(gl.TEXTURE_2D, 0, gl.R16UI, ...size, gl.RED_INTEGER, gl.UNSIGNED_SHORT, unsigned(values));
    this.#frame = frame;
  }

  #loadShades(shades) {
    const { gl } = this;
    gl.activeTexture(gl.TEXTURE1);
    const size = [256, shades.length / 256, 0];
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.R8UI, ...size, gl.RED_INTEGER, gl.UNSIGNED_BYTE, shades);
    this.#shades = shades;
  }
}

const unsigned = (values) => new Uint16Array(values.buffer, values.byteOffset, values.length);

function linked(gl) {
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, VERTICES], [gl.FRAGMENT_SHADER, FRAGMENTS]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (gl.getProgramParameter(program, gl.LINK_STATUS) || gl.isContextLost()) return program;
  throw new Error(`the shaders do not link: ${gl.getProgramInfoLog(program)}`);
}

function texture(gl, unit) {
  gl.activeTexture(gl.TEXTURE0 + unit);
  gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
  for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, name, gl.NEAREST);
}
