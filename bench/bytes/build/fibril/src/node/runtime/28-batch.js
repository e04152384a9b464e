// settle(count, ...values): what C calls with a batch of settled futures; `values` are those of
// them that are neither undefined nor numbers. What one target throws is uncaught, and costs the
// others nothing. A slot has no target where JavaScript's stack had no room to make its promise.
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
      if (typeof target === 'function') target(kind < CALL_ERROR ? value : rejection(kind, value));
      else if (typeof target === 'object') target.settle(kind, value, slot);
    } catch (error) {
      throwSoon(error);
    }
  }
}
