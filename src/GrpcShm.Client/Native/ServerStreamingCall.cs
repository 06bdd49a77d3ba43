using Grpc.Core;
using GrpcShm.Client.Direct;

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

    public override Task SendElsewhereAsync(SendResult reason)
    {
        var call = FindOther().AsyncServerStreamingCall(Method.Method, null, CreateOptions(), _request);
        Take(call.ResponseStream, new OtherCall(call.ResponseHeadersAsync, call.GetStatus, call.GetTrailers));
        return Task.CompletedTask;
    }
}
