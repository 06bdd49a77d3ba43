using System.Text;
using Grpc.Core;
using GrpcShm.Client.Tests.Direct;

namespace GrpcShm.Client.Tests.Native;

/// <summary>Makes one call of each kind, and writes down all that its caller can see.</summary>
internal static class CallRecord
{
    /// <param name="invoker">Makes the call.</param>
    /// <param name="type">Its kind.</param>
    /// <param name="options">Its options.</param>
    /// <param name="written">Called when all of the request has been written.</param>
    /// <param name="request">The message of the request; nothing for any.</param>
    public static Task<string> MakeAsync(
        CallInvoker invoker, MethodType type, CallOptions options, Action? written = null, byte[]? request = null)
    {
        request ??= [9, 8];
        return type switch
        {
            MethodType.Unary => UnaryAsync(invoker, options, request, written),
            MethodType.ClientStreaming => ClientStreamingAsync(invoker, options, request, written),
            MethodType.ServerStreaming => ServerStreamingAsync(invoker, options, request, written),
            _ => DuplexAsync(invoker, options, request, written),
        };
    }

    private static async Task<string> UnaryAsync(
        CallInvoker invoker, CallOptions options, byte[] request, Action? written)
    {
        using var call = invoker.AsyncUnaryCall(Responses.Unary, null, options, request);
        written?.Invoke();
        var record = new StringBuilder();
        await WriteAsync(record, "response", async () => Describe(await call.ResponseAsync.InTime()));
        await WriteEndAsync(record, call.ResponseHeadersAsync, call.GetStatus, call.GetTrailers);
        return record.ToString();
    }

    private static async Task<string> ClientStreamingAsync(
        CallInvoker invoker, CallOptions options, byte[] request, Action? written)
    {
        using var call = invoker.AsyncClientStreamingCall(Responses.ClientStreaming, null, options);
        var record = new StringBuilder();
        await WriteAsync(record, "write", async () =>
        {
            await call.RequestStream.WriteAsync(request).InTime();
            return "done";
        });
        await WriteAsync(record, "complete", async () =>
        {
            await call.RequestStream.CompleteAsync().InTime();
            return "done";
        });
        written?.Invoke();
        await WriteAsync(record, "response", async () => Describe(await call.ResponseAsync.InTime()));
        await WriteEndAsync(record, call.ResponseHeadersAsync, call.GetStatus, call.GetTrailers);
        await WriteAsync(record, "write after the end", async () =>
        {
            await call.RequestStream.WriteAsync([1]).InTime();
            return "done";
        });
        return record.ToString();
    }

    private static async Task<string> ServerStreamingAsync(
        CallInvoker invoker, CallOptions options, byte[] request, Action? written)
    {
        using var call = invoker.AsyncServerStreamingCall(Responses.ServerStreaming, null, options, request);
        written?.Invoke();
        var record = new StringBuilder();
        await WriteMessagesAsync(record, call.ResponseStream);
        await WriteEndAsync(record, call.ResponseHeadersAsync, call.GetStatus, call.GetTrailers);
        return record.ToString();
    }

    private static async Task<string> DuplexAsync(
        CallInvoker invoker, CallOptions options, byte[] request, Action? written)
    {
        using var call = invoker.AsyncDuplexStreamingCall(Responses.Duplex, null, options);
        var record = new StringBuilder();
        await WriteAsync(record, "write", async () =>
        {
            await call.RequestStream.WriteAsync(request).InTime();
            await call.RequestStream.CompleteAsync().InTime();
            return "done";
        });
        written?.Invoke();
        await WriteMessagesAsync(record, call.ResponseStream);
        await WriteEndAsync(record, call.ResponseHeadersAsync, call.GetStatus, call.GetTrailers);
        return record.ToString();
    }

    private static async Task WriteMessagesAsync(StringBuilder record, IAsyncStreamReader<byte[]> messages)
    {
        // Twice beyond the end: a reader may ask again.
        var ends = 0;
        while (ends < 2)
        {
            await WriteAsync(record, "message", async () =>
            {
                if (await messages.MoveNext(CancellationToken.None).InTime())
                {
                    return Describe(messages.Current);
                }

                ends++;
                return "end";
            },
            () => ends++);
        }
    }

    private static async Task WriteEndAsync(
        StringBuilder record, Task<Metadata> headers, Func<Status> getStatus, Func<Metadata> getTrailers)
    {
        await WriteAsync(record, "headers", async () => Describe(await headers.InTime()));
        await WriteAsync(record, "status", () => Task.FromResult(Describe(getStatus())));
        await WriteAsync(record, "trailers", () => Task.FromResult(Describe(getTrailers())));
    }

    private static async Task WriteAsync(
        StringBuilder record, string what, Func<Task<string>> describe, Action? failed = null)
    {
        string text;
        try
        {
            text = await describe();
        }
        catch (RpcException exception)
        {
            text = $"RpcException {Describe(exception.Status)} {Describe(exception.Trailers)}";
            failed?.Invoke();
        }
        catch (OperationCanceledException)
        {
            text = "cancelled";
            failed?.Invoke();
        }
        catch (ObjectDisposedException)
        {
            // Its message names the type of the call.
            text = "disposed";
            failed?.Invoke();
        }
        catch (Exception exception)
        {
            text = $"{exception.GetType().Name}: {exception.Message}";
            failed?.Invoke();
        }

        record.AppendLine($"{what}: {text}");
    }

    private static string Describe(byte[] message) =>
        message.Length > 100 ? $"{message.Length} bytes" : Convert.ToHexString(message);

    private static string Describe(Status status) =>
        $"{status.StatusCode} '{status.Detail}' because of {status.DebugException?.GetType().Name ?? "nothing"}";

    private static string Describe(Metadata metadata) => string.Join(
        "; ",
        metadata.Select(entry =>
            $"{entry.Key}={(entry.IsBinary ? Convert.ToHexString(entry.ValueBytes) : entry.Value)}"));
}
