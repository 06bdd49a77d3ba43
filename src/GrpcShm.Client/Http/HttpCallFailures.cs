using GrpcShm.Client.Direct;
using GrpcShm.Transport.Calls;

namespace GrpcShm.Client.Http;

/// <summary>The exceptions that a <see cref="SocketsHttpHandler"/> would throw.</summary>
internal sealed class HttpCallFailures : ICallFailures
{
    public Exception CreateReset(CallError error, string message) => CallFailures.CreateReset(error, message);

    public Exception CreateConnecting(IPendingCall pending, Exception cause) =>
        pending is PendingRequest request
            ? CallFailures.CreateConnecting(request.Request, cause)
            : CallFailures.CreateConnecting(isForCall: true, cause);

    public Exception CreateDisposed() => new ObjectDisposedException(typeof(HttpMessageHandler).FullName);
}
