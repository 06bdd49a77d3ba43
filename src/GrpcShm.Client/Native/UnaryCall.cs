using Grpc.Core;
using GrpcShm.Client.Direct;

namespace GrpcShm.Client.Native;

/// <summary>A call with one request message and one response message.</summary>
internal sealed class UnaryCall<TRequest, TResponse> : SingleResponseCall<TRequest, TResponse>
    where TRequest : class
    where TResponse : class
{
    private readonly TRequest _request;

    public UnaryCall(
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

    public override async Task SendElsewhereAsync(SendResult reason)
    {
        using var call = FindOther().AsyncUnaryCall(Method.Method, null, CreateOptions(), _request);
        await TakeAsync(call.ResponseAsync, new OtherCall(call.ResponseHeadersAsync, call.GetStatus, call.GetTrailers))
            .ConfigureAwait(false);
    }
}
