// increment(n) with node-addon-api's AsyncWorker and a promise.
#include <napi.h>

class IncrementWorker : public Napi::AsyncWorker {
public:
  IncrementWorker(Napi::Env env, double number)
      : Napi::AsyncWorker(env), deferred_(Napi::Promise::Deferred::New(env)), number_(number) {}

  Napi::Promise Promise() const {
    return deferred_.Promise();
  }

protected:
  void Execute() override {
    number_ += 1;
  }
  void OnOK() override {
    deferred_.Resolve(Napi::Number::New(Env(), number_));
  }
  void OnError(const Napi::Error &error) override {
    deferred_.Reject(error.Value());
  }

private:
  Napi::Promise::Deferred deferred_;
  double number_;
};

static Napi::Value Increment(const Napi::CallbackInfo &info) {
  if (!info[0].IsNumber()) {
    Napi::TypeError::New(info.Env(), "a number is expected").ThrowAsJavaScriptException();
    return info.Env().Undefined();
  }
  auto *worker = new IncrementWorker(info.Env(), info[0].As<Napi::Number>().DoubleValue());
  Napi::Promise promise = worker->Promise();
  worker->Queue();
  return promise;
}

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("increment", Napi::Function::New(env, Increment, "increment"));
  return exports;
}

NODE_API_MODULE(async_worker, Init)
