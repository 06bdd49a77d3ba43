using GrpcShm.Client.Direct;
using GrpcShm.Transport.Calls;

namespace GrpcShm.Client.Http;

/// <summary>The exceptions that a <see cref="SocketsHttpHandler"/> would throw.</summary>
internal sealed class HttpCallFailures : ICallFailures
{
    public Exception Reset(CallError error, string message) => CallFailures.Reset(error, message);

    public Exception Connecting(Exception cause) => CallFailures.Connecting(cause);

    public Exception Disposed() => new ObjectDisposedException(typeof(HttpMessageHandler).FullName);
}
