/* Signals, for who has a say in what becomes of them. */
#ifndef FIBRIL_IO_SIGNAL_H
#define FIBRIL_IO_SIGNAL_H

/* Has the process ignore a signal from here on, unless somebody has said what is to be done with
 * it. Where it is waited for, that comes when nobody waits any more. */
void fibril__signal_ignore(int number);

#endif /* FIBRIL_IO_SIGNAL_H */
