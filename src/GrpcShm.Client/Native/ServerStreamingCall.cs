using Grpc.Core;

namespace GrpcShm.Client.Native;

/// <summary>A call with one request message and a stream of response messages.</summary>
internal sealed class ServerStreamingCall<TRequest, TResponse> : StreamedResponseCall<TRequest, TResponse>
    where TRequest : class
    where TResponse : class
{
    private readonly TRequest _request;

    public ServerStreamingCall(
        NativeChannel channel,
        NativeMethod<TRequest, TResponse> method,
        in CallOptions options,
        TRequest request)
        : base(channel, method, options)
    {
        _request = request;
    }

    public override void SendContent(NativeExchange exchange) =>
        exchange.SendOnly(_request, Method.Serialize, Log);
}
