// Moving and zooming a drawing: by pointer, wheel, two fingers, and buttons.

export interface Camera {
  zoom(factor: number): void;
  fit(left: number, top: number, right: number, bottom: number): void;
  /** Makes an element draggable; `click` where it was not dragged. */
  drags(element: SVGElement, click: () => void, moved: (dx: number, dy: number) => void): void;
}

const [NEAREST, FARTHEST] = [4, 0.1];

export function camera(drawing: SVGSVGElement, world: SVGGElement): Camera {
  let [x, y, scale] = [0, 0, 1];
  const pointers = new Map<number, PointerEvent>();
  const apply = () => world.setAttribute("transform", `translate(${x} ${y}) scale(${scale})`);

  function zoomAt(factor: number, px: number, py: number): void {
    const next = Math.min(NEAREST, Math.max(FARTHEST, scale * factor));
    x = px - ((px - x) * next) / scale;
    y = py - ((py - y) * next) / scale;
    scale = next;
    apply();
  }

  const middle = () => [drawing.clientWidth / 2, drawing.clientHeight / 2] as const;

  drawing.addEventListener("wheel", (event) => {
    event.preventDefault();
    const box = drawing.getBoundingClientRect();
    zoomAt(Math.exp(-event.deltaY / 400), event.clientX - box.left, event.clientY - box.top);
  }, { passive: false });
  drawing.addEventListener("pointerdown", (event) => {
    if ((event.target as Element).closest(".node, .edge")) return;
    pointers.set(event.pointerId, event);
    drawing.setPointerCapture(event.pointerId);
  });
  drawing.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    if (pointers.size === 1) {
      x += event.clientX - before.clientX;
      y += event.clientY - before.clientY;
      apply();
    } else {
      const other = [...pointers.values()].find((it) => it.pointerId !== event.pointerId);
      if (other) {
        const distance = (it: PointerEvent) => Math.hypot(it.clientX - other.clientX, it.clientY - other.clientY);
        const box = drawing.getBoundingClientRect();
        zoomAt(distance(event) / Math.max(1, distance(before)), (event.clientX + other.clientX) / 2 - box.left, (event.clientY + other.clientY) / 2 - box.top);
      }
    }
    pointers.set(event.pointerId, event);
  });
  for (const end of ["pointerup", "pointercancel"] as const) {
    drawing.addEventListener(end, (event) => pointers.delete(event.pointerId));
  }

  return {
    zoom: (factor) => zoomAt(factor, ...middle()),
    fit(left, top, right, bottom) {
      const [width, height] = [drawing.clientWidth, drawing.clientHeight];
      if (width === 0 || height === 0) return;
      scale = Math.min(1.2, (width - 32) / (right - left), (height - 32) / (bottom - top));
      scale = Math.max(FARTHEST, scale);
      x = (width - (right + left) * scale) / 2;
      y = (height - (bottom + top) * scale) / 2;
      apply();
    },
    drags(element, click, moved) {
      let [before, far]: [PointerEvent | null, boolean] = [null, false];
      element.addEventListener("pointerdown", (event) => {
        [before, far] = [event, false];
        element.setPointerCapture(event.pointerId);
      });
      element.addEventListener("pointermove", (event) => {
        if (!before) return;
        const [dx, dy] = [event.clientX - before.clientX, event.clientY - before.clientY];
        // A hand trembles: so little is a click.
        if (!far && Math.hypot(dx, dy) < 4) return;
        far = true;
        before = event;
        moved(dx / scale, dy / scale);
      });
      element.addEventListener("pointerup", () => {
        if (before && !far) click();
        before = null;
      });
      element.addEventListener("pointercancel", () => (before = null));
    },
  };
}
