(() => {
  const byId = (id) => document.getElementById(id);
  const buttons = [...document.querySelectorAll("#phases button")];
  const choose = (button) => {
    for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
    for (const part of document.querySelectorAll(".card, #chat li, #chat h3"))
      part.hidden = button.dataset.phase !== "" && part.dataset.phase !== button.dataset.phase;
  };
  buttons.forEach((button, i) => {
    button.addEventListener("click", () => choose(button));
    button.addEventListener("keydown", (press) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[press.key];
      if (!step || !buttons[i + step]) return;
      press.preventDefault();
      buttons[i + step].focus();
      choose(buttons[i + step]);
    });
  });

  const markets = JSON.parse(byId("markets").textContent);
  const which = byId("which"), at = byId("at");
  if (!which) return;
  const money = (x) => x.toLocaleString("en", { maximumFractionDigits: 0 });

  // The market after the first `count` events.
  const state = (events, count) => {
    let book = [], prices = [], last = null;
    for (const event of events.slice(0, count)) {
      last = event;
      if (event.book) {
        book = event.book.map(([side, price]) => ({ side, price, seat: "" }));
        prices = event.prices;
      } else if (event.status === "rested")
        book.push({ side: event.action, price: event.price, seat: event.seat, order: event.order });
      else if (event.status === "cancelled" || event.status === "traded")
        book = book.filter((offer) => offer.order !== event.order);
      if (!event.book && event.status === "traded") prices.push(event.traded);
    }
    return { book, prices, last };
  };

  const words = (event) => {
    if (!event) return "The market opens.";
    if (event.book) return event.time;
    const price = event.price === null ? "" : ` at ${money(event.price)}`;
    const what = { rested: "it waits in the book", traded: `a share changes hands at ${event.traded === null ? "" : money(event.traded)}`, cancelled: "the offer is taken back", refused: `refused: ${event.why}` };
    return `${event.time}: ${event.seat}, ${event.action}${price}; ${what[event.status]}.`;
  };

  const rows = (body, offers) => {
    body.replaceChildren(...offers.map((offer) => {
      const row = document.createElement("tr");
      for (const text of [money(offer.price), offer.seat]) {
        const cell = document.createElement("td");
        cell.textContent = text;
        row.append(cell);
      }
      return row;
    }));
  };

  const draw = (svg, market, prices, all) => {
    const lines = Object.entries(market.lines);
    const levels = [...all, ...lines.map(([, y]) => y)];
    const low = Math.min(...levels), high = Math.max(...levels), span = high - low || Math.max(1, Math.abs(high) * .1);
    const left = 92, right = 625, top = 20, bottom = 225;
    const x = (i) => left + (right - left) * (all.length > 1 ? i / (all.length - 1) : .5);
    const y = (p) => bottom - (bottom - top) * (p - low + .06 * span) / (1.12 * span);
    const make = (name, attributes, text) => {
      const part = document.createElementNS("http://www.w3.org/2000/svg", name);
      for (const [key, value] of Object.entries(attributes)) part.setAttribute(key, value);
      if (text) part.textContent = text;
      svg.append(part);
    };
    svg.replaceChildren();
    if (!levels.length) return make("text", { x: left, y: 120 }, "No trade.");
    for (const level of low === high ? [low] : [low, high]) make("text", { x: left - 8, y: y(level) + 4, "text-anchor": "end" }, money(level));
    lines.forEach(([name, level], i) => {
      make("line", { x1: left, x2: right, y1: y(level), y2: y(level), stroke: "#b35f00", "stroke-dasharray": "5 4" });
      make("text", i ? { x: left + 5, y: y(level) + 16 } : { x: right, y: y(level) - 6, "text-anchor": "end" }, name);
    });
    make("polyline", { points: prices.map((p, i) => `${x(i)},${y(p)}`).join(" "), fill: "none", stroke: "#0b4f8a", "stroke-width": 2 });
    prices.forEach((p, i) => make("circle", { cx: x(i), cy: y(p), r: 3.5, fill: "#0b4f8a" }));
    make("text", { x: (left + right) / 2, y: 250, "text-anchor": "middle" }, `${prices.length} of ${all.length} trades`);
  };

  const show = () => {
    const market = markets[which.value], count = Number(at.value);
    const { book, prices, last } = state(market.events, count);
    const all = state(market.events, market.events.length).prices;
    const text = `${count} of ${market.events.length}. ${words(last)}`;
    byId("event").textContent = text;
    at.setAttribute("aria-valuetext", text);
    rows(byId("asks"), book.filter((o) => o.side === "ask").sort((a, b) => a.price - b.price));
    rows(byId("bids"), book.filter((o) => o.side === "bid").sort((a, b) => b.price - a.price));
    draw(byId("path"), market, prices, all);
  };
  const begin = () => {
    at.max = markets[which.value].events.length;
    at.value = at.max;
    show();
  };
  which.addEventListener("change", begin);
  at.addEventListener("input", show);
  begin();
})();
