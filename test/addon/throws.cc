// C++ in coroutines: what a function throws becomes its error, and catch blocks may wait.
#include <fibril.h>

#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

int guards = 0;

/* Counts those that are alive. */
struct guard {
  guard() {
    guards++;
  }
  guard(const guard &) = delete;
  guard &operator=(const guard &) = delete;
  ~guard() {
    guards--;
  }
};

fibril_value alive(fibril_args *) {
  return fibril_number(guards);
}

void throw_kind(const std::string &kind) {
  guard counted;
  if (kind == "runtime_error") throw std::runtime_error("it says so");
  if (kind == "bad_alloc") throw std::bad_alloc();
  if (kind == "length_error") std::vector<int>().reserve(static_cast<size_t>(-1));
  if (kind == "int") throw 42;
}

/* Throws, before a wait or after it. */
fibril_value throws(fibril_args *args) {
  guard counted;
  const std::string kind = fibril_arg_string(args, 0);
  if (fibril_arg_boolean(args, 1) && fibril_sleep(1) != 0)
    return fibril_error(UV_ECANCELED, nullptr);
  throw_kind(kind);
  return fibril_string(kind.data(), kind.size());
}

fibril_value wait_ms(double ms) {
  guard counted;
  int err = fibril_sleep(ms);
  return err != 0 ? fibril_error(err, nullptr) : fibril_undefined();
}

/* What a catch block sees after it has waited, and after it has thrown on. */
fibril_value catches(fibril_args *args) {
  const std::string name = fibril_arg_string(args, 0);
  const double ms = fibril_arg_number(args, 1);
  std::string seen;
  try {
    throw std::runtime_error(name);
  } catch (const std::exception &outer) {
    wait_ms(ms);
    try {
      try {
        throw std::logic_error(name + " inside");
      } catch (...) {
        wait_ms(1);
        throw;
      }
    } catch (const std::exception &inner) {
      wait_ms(ms);
      seen += inner.what();
    }
    try {
      throw;
    } catch (const std::exception &again) {
      seen += again.what() == std::string(outer.what()) ? ", " + name : ", another";
    }
  }
  if (std::current_exception() != nullptr || std::uncaught_exceptions() != 0) seen += ", left over";
  return fibril_string(seen.data(), seen.size());
}

struct waits_at_end {
  double ms;
  int *uncaught;
  ~waits_at_end() {
    wait_ms(ms);
    *uncaught = std::uncaught_exceptions();
  }
};

/* A destructor that waits while an exception passes. */
fibril_value unwinds(fibril_args *args) {
  int uncaught = -1;
  try {
    waits_at_end waits{fibril_arg_number(args, 0), &uncaught};
    throw std::runtime_error("passing");
  } catch (const std::exception &) {
    return fibril_number(10 * uncaught + std::uncaught_exceptions());
  }
}

fibril_value child(void *arg) {
  try {
    throw std::runtime_error("child");
  } catch (...) {
    wait_ms(*static_cast<double *>(arg));
    throw;
  }
}

/* A child that throws, catches and waits, begun in a catch block that ends before it does. */
fibril_value spawns(fibril_args *) {
  double ms = 5;
  fibril_future *future = nullptr;
  try {
    throw std::runtime_error("parent");
  } catch (const std::exception &) {
    future = fibril_spawn(child, &ms, nullptr);
  }
  bool clean = std::current_exception() == nullptr;
  fibril_value result = fibril_value_dup(fibril_await(future));
  fibril_future_unref(future);
  return clean && std::current_exception() == nullptr ? result : fibril_null();
}

fibril_value numbers(fibril_generator *generator, void *) {
  guard counted;
  for (int i = 0; i < 3; i++) {
    try {
      throw std::runtime_error("number " + std::to_string(i));
    } catch (const std::exception &error) {
      fibril_value sent = fibril_yield(generator, fibril_string(error.what(), FIBRIL_AUTO_LENGTH));
      if (fibril_is_error(sent)) return sent;
      wait_ms(1);
      if (std::strncmp(error.what(), "number ", 7) != 0) return fibril_null();
    }
    if (std::current_exception() != nullptr) return fibril_null();
  }
  throw std::runtime_error("the end");
}

/* A generator that yields, waits and is closed inside its catch block, asked from inside another.
 */
fibril_value generates(fibril_args *args) {
  const int count = static_cast<int>(fibril_arg_integer(args, 0));
  std::string seen;
  fibril_generator *generator =
      fibril_generator_new(fibril_loop_current(), numbers, nullptr, nullptr);
  fibril_value value = fibril_undefined();
  try {
    throw std::runtime_error("asking");
  } catch (const std::exception &error) {
    for (int i = 0; i < count; i++) {
      int status = fibril_generator_next(generator, &value);
      if (status == FIBRIL_YIELDED) seen += std::string(fibril_value_string(value, nullptr)) + ", ";
      if (fibril_is_error(value)) seen += std::string(fibril_error_message(value)) + ", ";
    }
    seen += error.what();
  }
  fibril_generator_unref(generator);
  if (std::current_exception() != nullptr) seen += ", left over";
  return fibril_string(seen.data(), seen.size());
}

fibril_value construct(fibril_args *args) {
  throw_kind(fibril_arg_string(args, 0));
  return fibril_undefined();
}

/* Code at load and at the end, where the process's environment asks for it. */
fibril_value throw_in_hook(void *what) {
  guard counted;
  if (fibril_sleep(0) == 0) throw std::runtime_error(static_cast<const char *>(what));
  return fibril_undefined();
}

char init_says[] = "init says so", end_says[] = "end says so";

} // namespace

FIBRIL_MODULE(m) {
  if (std::getenv("THROWS_IN_HOOKS") != nullptr) {
    fibril_module_init(m, throw_in_hook, init_says);
    fibril_module_end(m, throw_in_hook, end_says);
  }
  fibril_export(m, "alive(): Promise<number>", alive);
  fibril_export(m, "throws(kind: string, later?: boolean = false): Promise<string>", throws);
  fibril_export(m, "catches(name: string, ms: number): Promise<string>", catches);
  fibril_export(m, "unwinds(ms: number): Promise<number>", unwinds);
  fibril_export(m, "spawns(): Promise<void>", spawns);
  fibril_export(m, "generates(count: int32): Promise<string>", generates);
  fibril_class_options options{};
  options.size = sizeof options;
  options.state_size = 8;
  fibril_class *thrower = fibril_export_class(m, "Thrower", &options);
  fibril_class_constructor(thrower, "(kind: string)", construct);
}
