using Grpc.Core;
using GrpcShm.Client.Direct;

namespace GrpcShm.Client.Native;

/// <summary>A call with a stream of request messages and one response message.</summary>
internal sealed class ClientStreamingCall<TRequest, TResponse> : SingleResponseCall<TRequest, TResponse>
    where TRequest : class
    where TResponse : class
{
    public ClientStreamingCall(
        NativeChannel channel, NativeMethod<TRequest, TResponse> method, in CallOptions options)
        : base(channel, method, options)
    {
        Requests = new RequestMessages<TRequest>(this, method.Serialize, options.WriteOptions);
    }

    /// <summary>Writes the request.</summary>
    public RequestMessages<TRequest> Requests { get; }

    public override void SendContent(NativeExchange exchange) => Requests.Begin(exchange);

    public override async Task SendElsewhereAsync(SendResult reason)
    {
        using var call = FindOther().AsyncClientStreamingCall(Method.Method, null, CreateOptions());
        Requests.Begin(call.RequestStream);
        await TakeAsync(call.ResponseAsync, new OtherCall(call.ResponseHeadersAsync, call.GetStatus, call.GetTrailers))
            .ConfigureAwait(false);
    }

    protected override void OnOver() => Requests.Stop();
}
