#include "programs.h"

FIBRIL_MODULE(m) {
  fibril_export(m, "toyScheduler(): Promise<void>", toy_scheduler);
  fibril_export(m, "fibonacci(): Promise<void>", fibonacci);
  fibril_export(m, "simplifiedRunner(): Promise<void>", simplified_runner);
  fibril_export(m, "parallel(): Promise<void>", parallel);
  fibril_export(m, "interleaving(from: path, to: path): Promise<number>", interleaving);
  fibril_export(m, "sleep(): Promise<void>", sleep_program);
  fibril_export(m, "getURL(): Promise<string[]>", get_url_program);
  fibril_export(m, "asynSum(): Promise<number>", asyn_sum_program);
}
