using Grpc.Core;
using GrpcShm.Client.Direct;

namespace GrpcShm.Client.Native;

/// <summary>A call with a stream of messages in both directions.</summary>
internal sealed class DuplexStreamingCall<TRequest, TResponse> : StreamedResponseCall<TRequest, TResponse>
    where TRequest : class
    where TResponse : class
{
    public DuplexStreamingCall(
        NativeChannel channel, NativeMethod<TRequest, TResponse> method, in CallOptions options)
        : base(channel, method, options)
    {
        Requests = new RequestMessages<TRequest>(this, method.Serialize, options.WriteOptions);
    }

    /// <summary>Writes the request.</summary>
    public RequestMessages<TRequest> Requests { get; }

    public override void SendContent(NativeExchange exchange) => Requests.Begin(exchange);

    public override Task SendElsewhereAsync(SendResult reason)
    {
        var call = FindOther().AsyncDuplexStreamingCall(Method.Method, null, CreateOptions());
        Requests.Begin(call.RequestStream);
        Take(call.ResponseStream, new OtherCall(call.ResponseHeadersAsync, call.GetStatus, call.GetTrailers));
        return Task.CompletedTask;
    }

    protected override void OnOver()
    {
        Requests.Stop();
        base.OnOver();
    }
}
