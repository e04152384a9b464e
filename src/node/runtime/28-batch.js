// settle(count, ...values): what C calls with a batch of settled futures; `values` are those of
// them that are neither undefined nor numbers. What one target throws is uncaught, and costs the
// others nothing.
function settle(count, ...values) {
  let next = 0;
  for (let i = 0; i < count; i++) {
    const slot = slots[i];
    const kind = kinds[i];
    const target = targets[slot];
    giveSlot(slot);
    let value;
    if (kind === CALL_NUMBER) value = numbers[i];
    else if (kind !== CALL_UNDEFINED) value = values[next++];
    try {
      if (typeof target !== 'function') target.settle(kind, value, slot);
      else if (kind < CALL_ERROR) target(value);
      else target(rejection(kind, value));
    } catch (error) {
      throwSoon(error);
    }
  }
}
