"""Coroutines of fibril in gdb: (gdb) source node_modules/fibril/gdb/fibril.py

info fibril       every coroutine of the process: number, state, what it waits for, name
fibril bt N       where coroutine N is, call by call

They work in a running process and in a core dump, and need fibril's debug information: build your addon with CFLAGS=-g."""

import functools

import gdb
import gdb.unwinder

PAGE = 4096  # the smallest that there is
REGISTERS = {'i386:x86-64': ('rip', 'rsp', 'rbp'), 'aarch64': ('pc', 'sp', 'x29')}


def type_named(name):
    try:
        return gdb.lookup_type(name)
    except gdb.error:
        raise gdb.GdbError(f'no debug information of fibril, or none yet: build with CFLAGS=-g ({name} is unknown)') from None


def pointer(name, address):
    return gdb.Value(int(address)).cast(type_named(name).pointer())


def text(value, otherwise=''):
    return value.string(errors='replace') if int(value) != 0 else otherwise


@functools.lru_cache(maxsize=None)
def enumerator(name):
    symbol = gdb.lookup_static_symbol(name)
    if symbol is None:
        raise gdb.GdbError(f'the debug information has no {name}: it is of another fibril than this script')
    return symbol


def constant(name):
    """As the sources have it, whatever version of them was compiled."""
    return int(enumerator(name).value())


def kind_of(slot):
    """Of a slot: in its lowest bits, as many as there are kinds for."""
    highest = max(field.enumval for field in enumerator('FIBRIL__SLOT_OUT').type.fields())
    return int(slot) & ((1 << highest.bit_length()) - 1)


def slabs():
    """Those of all threads, and of every copy of fibril in the process."""
    for symbol in gdb.lookup_static_symbols('table'):
        if symbol.type.name != 'chunk':
            continue
        chunk = symbol.value()
        while True:
            first, last = chunk['slabs'].type.range()
            for i in range(first, last + 1):
                if int(chunk['slabs'][i]) != 0:
                    yield pointer('fibril__slab', chunk['slabs'][i])
            if int(chunk['next']) == 0:
                break
            chunk = pointer('chunk', chunk['next']).dereference()


def descriptor_of(slab, i):
    """It lies at the slot's end, or a few of its sizes below that, with nothing in between."""
    size = type_named('fibril__stack').sizeof
    end = int(slab['memory']) + (i + 1) * int(slab['slot'])
    for place in range(end - size, end - PAGE, -size):
        stack = pointer('fibril__stack', place)
        if int(stack['slab']) == int(slab) and int(stack['index']) == i:
            return stack
    return None


def coroutines():
    block = type_named('struct fibril_coroutine').sizeof
    for slab in slabs():
        for i in range(int(slab['guarded'])):
            if kind_of(slab['slots'][i]) != constant('FIBRIL__SLOT_OUT'):
                continue
            stack = descriptor_of(slab, i)
            if stack is not None and int(stack['state']) == constant('FIBRIL__STACK_TAKEN') and int(stack['base']) != 0:
                yield pointer('struct fibril_coroutine', int(stack) - block)


def is_running(coroutine):
    return int(coroutine['loop']['current']) == int(coroutine)


def is_suspended(coroutine):
    """Between two of its values."""
    return int(coroutine['state']) == constant('FIBRIL__YIELDED')


def wait_of(coroutine):
    if int(coroutine['state']) == constant('FIBRIL__FRESH') or is_suspended(coroutine):
        return None
    wait = coroutine['root']['wait']
    return wait if int(wait) != 0 and not wait['woken'] else None


def is_ready(coroutine):
    ready = coroutine['loop']['ready']
    places = int(ready['mask']) + 1
    task = int(coroutine['task'].address)
    return any(int(ready['ring'][i % places]) == task for i in range(int(ready['dequeued']), int(ready['enqueued'])))


def state(coroutine):
    """As fibril_loop_inspect says."""
    if int(coroutine['state']) == constant('FIBRIL__FRESH'):
        return 'fresh'
    if is_suspended(coroutine):
        return 'suspended'
    if wait_of(coroutine) is not None:
        return 'waiting'
    return 'ready' if is_ready(coroutine) else 'running'


def within(coroutine):
    """The name of the stream whose functions it is in, or None; each copy of fibril has its key."""
    keys = [int(symbol.value().address) for symbol in gdb.lookup_static_symbols('fibril__within_key')]
    local = coroutine['locals']
    while int(local) != 0:
        if int(local['key']) in keys and int(local['value']) != 0:
            return text(local['value'].cast(gdb.lookup_type('char').pointer()))
        local = local['next']
    return None


def waits_for(coroutine):
    wait = wait_of(coroutine)
    return '' if wait is None else within(wait['coroutine']) or text(wait['kind']['name'])


class Caller(gdb.unwinder.Unwinder):
    """Says that the innermost frame was called from where a coroutine left: this needs no register to be written."""

    def __init__(self, coroutine):
        super().__init__('fibril')
        self.context = coroutine['context']
        self.names = REGISTERS[gdb.selected_inferior().architecture().name()]
        self.sp = int(gdb.newest_frame().read_register(self.names[1]))

    def __call__(self, pending):
        if int(pending.read_register(self.names[1])) != self.sp:
            return None
        info = pending.create_unwind_info(FrameId(pending.read_register(self.names[1]), pending.read_register(self.names[0])))
        for name, field in zip(self.names, ('ip', 'sp', 'fp')):
            info.add_saved_register(name, self.context[field])
        return info


class FrameId:
    def __init__(self, sp, pc):
        self.sp = sp
        self.pc = pc


def backtrace(coroutine):
    if is_running(coroutine):
        gdb.execute('bt')
        return
    unwinder = Caller(coroutine)
    gdb.unwinder.register_unwinder(None, unwinder, replace=True)
    try:
        gdb.invalidate_cached_frames()
        lines = gdb.execute('bt', to_string=True).splitlines()
    finally:
        gdb.frame_unwinders.remove(unwinder)
        gdb.invalidate_cached_frames()
    # The first one is the stand-in for the switch.
    first = next(i for i, line in enumerate(lines) if line.startswith('#1 '))
    print('\n'.join(lines[first:]))


class InfoFibril(gdb.Command):
    """Lists every coroutine: number, state, what it waits for, name."""

    def __init__(self):
        super().__init__('info fibril', gdb.COMMAND_STATUS)

    def invoke(self, _argument, _from_tty):
        number = 0
        for number, coroutine in enumerate(coroutines(), 1):
            waits = waits_for(coroutine)
            doing = state(coroutine) + (f' for {waits}' if waits else '')
            print(f'{number:>5}  {doing:<28} {text(coroutine["stack"]["name"], "unnamed")}')
        if number == 0:
            print('no coroutines, or no debug information of fibril')


class Fibril(gdb.Command):
    """fibril bt N: the calls that coroutine N of "info fibril" is in."""

    def __init__(self):
        super().__init__('fibril', gdb.COMMAND_STACK)

    def invoke(self, argument, _from_tty):
        words = gdb.string_to_argv(argument)
        if len(words) != 2 or words[0] != 'bt' or not words[1].isdigit():
            raise gdb.GdbError('fibril bt N, with a number from "info fibril"')
        chosen = next((c for n, c in enumerate(coroutines(), 1) if n == int(words[1])), None)
        if chosen is None:
            raise gdb.GdbError(f'there is no coroutine {words[1]}')
        if state(chosen) == 'fresh':
            raise gdb.GdbError(f'coroutine {words[1]} has not run')
        backtrace(chosen)


InfoFibril()
Fibril()
