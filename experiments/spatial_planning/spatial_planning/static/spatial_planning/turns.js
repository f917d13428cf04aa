// Draws the page and the form of a turn from what the server says, and sends the form.

function input(name, field) {
  const kinds = [].concat(field.type);
  if (field.enum) {
    const select = document.createElement('select');
    select.className = 'form-select';
    field.enum.forEach((choice) => select.add(new Option(String(choice).replace('_', ' '), choice)));
    select.read = () => select.value;
    return select;
  }
  if (kinds.includes('array')) {
    const group = document.createElement('div');
    const boxes = field.items.enum.map((choice) => {
      const label = document.createElement('label');
      const box = document.createElement('input');
      box.type = 'checkbox';
      label.className = 'me-3';
      label.append(box, ' ' + choice);
      group.append(label);
      return [box, choice];
    });
    group.read = () => boxes.filter(([box]) => box.checked).map(([, choice]) => choice);
    return group;
  }
  const numeric = kinds.includes('number') || kinds.includes('integer');
  const box = document.createElement(numeric ? 'input' : 'textarea');
  box.className = 'form-control';
  if (numeric) {
    box.type = 'number';
    box.step = 'any';
    if ('minimum' in field) box.min = field.minimum;
  }
  box.read = () => {
    if (!numeric) return box.value;
    return box.value === '' ? null : Number(box.value);
  };
  return box;
}

let readers = {};

function draw(state) {
  if (state.leave) {
    document.getElementById('form').submit();
    return;
  }
  document.getElementById('page').innerHTML = state.page;
  document.getElementById('ask').textContent = state.closed ? '' : state.ask;
  document.getElementById('closed').textContent = state.closed;
  const fields = document.getElementById('fields');
  const send = document.getElementById('send');
  const kept = Object.fromEntries(Object.entries(readers).map(([name, box]) => [name, box.value]));
  fields.replaceChildren();
  readers = {};
  send.hidden = Boolean(state.closed);
  send.textContent = state.send;
  if (state.closed) return;
  Object.entries(state.schema.properties).forEach(([name, field]) => {
    const label = document.createElement('label');
    const box = input(name, field);
    label.className = 'form-label mt-2';
    label.textContent = state.labels[name] || name;
    if (kept[name] !== undefined && box.tagName === 'SELECT') box.value = kept[name];
    fields.append(label, box);
    readers[name] = box;
  });
}

function liveRecv(state) {
  draw(state);
}

document.addEventListener('DOMContentLoaded', () => {
  document.getElementById('send').onclick = () => {
    liveSend(Object.fromEntries(Object.entries(readers).map(([name, box]) => [name, box.read()])));
  };
  draw(js_vars);
});
