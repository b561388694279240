// Draw every chart, and hide it from screen readers, which read the label of its place instead.
// `ast`: no code is made from text, so that the page's policy need not allow it.
const options = {mode: "vega-lite", renderer: "svg", ast: true, actions: false, tooltip: false, defaultStyle: false};
const drawn = [...document.querySelectorAll("[data-chart]")].map((place) => {
  const spec = JSON.parse(document.getElementById(`spec-${place.dataset.chart}`).textContent);
  const hide = ({view}) => view.container().querySelector("svg").setAttribute("aria-hidden", "true");
  return vegaEmbed(place, spec, options).then(hide).catch((error) => {
    place.textContent = `This chart could not be drawn (${error.message}); its numbers are in the table.`;
  });
});
Promise.all(drawn).then(() => { document.documentElement.dataset.drawn = drawn.length; });
