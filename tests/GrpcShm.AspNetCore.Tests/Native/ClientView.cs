using System.Globalization;
using System.Text;
using Grpc.Core;

namespace GrpcShm.AspNetCore.Tests.Native;

/// <summary>What a client sees of a call, as text.</summary>
internal static class ClientView
{
    public static async Task<string> MakeAsync(
        CallInvoker invoker, MethodType type, string[] requests, CallOptions options)
    {
        var text = new StringBuilder();
        switch (type)
        {
            case MethodType.Unary:
                using (var call = invoker.AsyncUnaryCall(ScriptedMethods.Unary, null, options, requests[0]))
                {
                    await TellAsync(text, call.ResponseHeadersAsync);
                    await TellAsync(text, call.ResponseAsync);
                    Tell(text, call.GetStatus, call.GetTrailers);
                }

                break;
            case MethodType.ClientStreaming:
                using (var call = invoker.AsyncClientStreamingCall(ScriptedMethods.ClientStreaming, null, options))
                {
                    await SendAsync(call.RequestStream, requests);
                    await TellAsync(text, call.ResponseHeadersAsync);
                    await TellAsync(text, call.ResponseAsync);
                    Tell(text, call.GetStatus, call.GetTrailers);
                }

                break;
            case MethodType.ServerStreaming:
                using (var call = invoker.AsyncServerStreamingCall(
                    ScriptedMethods.ServerStreaming, null, options, requests[0]))
                {
                    await TellAsync(text, call.ResponseHeadersAsync);
                    await TellAllAsync(text, call.ResponseStream);
                    Tell(text, call.GetStatus, call.GetTrailers);
                }

                break;
            default:
                using (var call = invoker.AsyncDuplexStreamingCall(ScriptedMethods.DuplexStreaming, null, options))
                {
                    await SendAsync(call.RequestStream, requests);
                    await TellAsync(text, call.ResponseHeadersAsync);
                    await TellAllAsync(text, call.ResponseStream);
                    Tell(text, call.GetStatus, call.GetTrailers);
                }

                break;
        }

        return text.ToString();
    }

    private static async Task SendAsync(IClientStreamWriter<string> stream, string[] requests)
    {
        try
        {
            foreach (var request in requests)
            {
                await stream.WriteAsync(request).InTime();
            }

            await stream.CompleteAsync().InTime();
        }
        catch (Exception exception) when (exception is RpcException or InvalidOperationException)
        {
            // The call has ended before. How, the caller tells.
            TestContext.Current.SendDiagnosticMessage(exception.Message);
        }
    }

    private static async Task TellAsync(StringBuilder text, Task<Metadata> headers)
    {
        try
        {
            text.AppendLine("headers: " + Describe(await headers.InTime()));
        }
        catch (RpcException exception)
        {
            text.AppendLine("no headers: " + exception.Status.StatusCode);
        }
    }

    private static async Task TellAsync(StringBuilder text, Task<string> response)
    {
        try
        {
            text.AppendLine("response: " + await response.InTime());
        }
        catch (RpcException exception)
        {
            text.AppendLine("no response: " + exception.Status.StatusCode);
        }
    }

    private static async Task TellAllAsync(StringBuilder text, IAsyncStreamReader<string> responses)
    {
        try
        {
            while (await responses.MoveNext(TestContext.Current.CancellationToken).InTime())
            {
                text.AppendLine("response: " + responses.Current);
            }
        }
        catch (RpcException exception)
        {
            text.AppendLine("no more responses: " + exception.Status.StatusCode);
        }
    }

    private static void Tell(StringBuilder text, Func<Status> status, Func<Metadata> trailers)
    {
        text.AppendLine(CultureInfo.InvariantCulture, $"status: {status().StatusCode} '{status().Detail}'");
        try
        {
            text.AppendLine("trailers: " + Describe(trailers()));
        }
        catch (InvalidOperationException exception)
        {
            text.AppendLine("no trailers: " + exception.Message);
        }
    }

    private static string Describe(Metadata metadata) => string.Join(", ", metadata
        .Where(static entry => entry.Key != "date")
        .Select(static entry =>
            $"{entry.Key}={(entry.IsBinary ? Convert.ToHexString(entry.ValueBytes) : entry.Value)}"));
}
