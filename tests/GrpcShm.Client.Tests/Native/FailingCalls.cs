using Grpc.Core;
using GrpcShm.Client.Tests.Direct;

namespace GrpcShm.Client.Tests.Native;

/// <summary>Calls of each kind that do not end in order.</summary>
internal static class FailingCalls
{
    private static CancellationToken TestToken => TestContext.Current.CancellationToken;

    /// <summary>Begins a call that its caller will dispose of.</summary>
    public static IDisposable Begin(CallInvoker invoker, MethodType type) =>
        Begin(invoker, type, Responses.CallOptions);

    /// <summary>Begins a call that its caller will dispose of.</summary>
    public static IDisposable Begin(CallInvoker invoker, MethodType type, CallOptions options) => type switch
    {
        MethodType.Unary => invoker.AsyncUnaryCall(Responses.Unary, null, options, [1]),
        MethodType.ClientStreaming => invoker.AsyncClientStreamingCall(Responses.ClientStreaming, null, options),
        MethodType.ServerStreaming =>
            invoker.AsyncServerStreamingCall(Responses.ServerStreaming, null, options, [1]),
        _ => invoker.AsyncDuplexStreamingCall(Responses.Duplex, null, options),
    };

    /// <summary>Makes a call that fails.</summary>
    public static async Task MakeAsync(
        CallInvoker invoker, MethodType type, byte[] request, Method<byte[], byte[]>? method = null)
    {
        var options = Responses.CallOptions;
        switch (type)
        {
            case MethodType.Unary:
                using (var call = invoker.AsyncUnaryCall(method ?? Responses.Unary, null, options, request))
                {
                    await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync.InTime());
                }

                break;
            case MethodType.ServerStreaming:
                using (var call = invoker.AsyncServerStreamingCall(
                    method ?? Responses.ServerStreaming, null, options, request))
                {
                    await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(TestToken).InTime());
                }

                break;
            case MethodType.ClientStreaming:
                using (var call = invoker.AsyncClientStreamingCall(method ?? Responses.ClientStreaming, null, options))
                {
                    await WriteAsync(call.RequestStream, request);
                    await WaitAsync(call.ResponseAsync);
                }

                break;
            default:
                using (var call = invoker.AsyncDuplexStreamingCall(method ?? Responses.Duplex, null, options))
                {
                    await WriteAsync(call.RequestStream, request);
                    await WaitAsync(call.ResponseStream.MoveNext(TestToken));
                }

                break;
        }
    }

    /// <summary>A message that cannot be written leaves the call as it is, which then has no message.</summary>
    private static async Task WriteAsync(IClientStreamWriter<byte[]> messages, byte[] request)
    {
        try
        {
            await messages.WriteAsync(request, TestToken).InTime();
        }
        catch (Exception exception) when (exception is RpcException or FormatException)
        {
            // That is what the test is about.
        }

        await messages.CompleteAsync().InTime();
    }

    private static async Task WaitAsync(Task response)
    {
        try
        {
            await response.InTime();
        }
        catch (RpcException)
        {
            // Either is right.
        }
    }
}
