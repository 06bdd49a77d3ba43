using System.IO.Compression;
using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace GrpcShm.Hosting.Tests;

/// <summary>The parts of a web application that are not gRPC.</summary>
internal sealed class PlainApplication : IStartupFilter
{
    public const int FileSize = 1_000_000;

    /// <summary>Lets the next event go.</summary>
    public SemaphoreSlim NextEvent { get; } = new(0);

    public static byte[] CreateFile() => [.. Enumerable.Range(0, FileSize).Select(static i => (byte)(i * 7))];

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.UseWebSockets();
        app.Use((context, following) => IsGrpc(context) ? following(context) : AnswerAsync(context));
        next(app);
    };

    private static bool IsGrpc(HttpContext context) =>
        context.Request.ContentType is { } type
        && (type == "application/grpc" || type.StartsWith("application/grpc;", StringComparison.Ordinal));

    private Task AnswerAsync(HttpContext context) => context.Request.Path.Value switch
    {
        "/file" => SendFileAsync(context),
        "/upload" => CountAsync(context),
        "/events" => SendEventsAsync(context),
        "/socket" => EchoAsync(context),
        "/moved" => MoveAsync(context),
        "/cookie" => ExchangeCookieAsync(context),
        "/zipped" => SendZippedAsync(context),
        _ => ReportAsync(context),
    };

    private static async Task ReportAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        var body = await reader.ReadToEndAsync(context.RequestAborted);
        var target = context.Features.Get<IHttpRequestFeature>()!.RawTarget;
        await context.Response.WriteAsync(
            $"{context.Request.Method} {target} {context.Request.ContentType} {context.Request.Protocol} {body}");
    }

    private static async Task SendFileAsync(HttpContext context)
    {
        var path = Path.GetTempFileName();
        try
        {
            await File.WriteAllBytesAsync(path, CreateFile(), context.RequestAborted);
            context.Response.ContentLength = FileSize;
            if (!HttpMethods.IsHead(context.Request.Method))
            {
                await context.Response.SendFileAsync(path, context.RequestAborted);
            }
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static async Task CountAsync(HttpContext context)
    {
        var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        var isWhole = body.ToArray().AsSpan().SequenceEqual(CreateFile());
        await context.Response.WriteAsync(isWhole ? $"{body.Length}" : "something else");
    }

    private async Task SendEventsAsync(HttpContext context)
    {
        context.Response.ContentType = "text/event-stream";
        for (var i = 0; i < 3; i++)
        {
            await context.Response.WriteAsync($"data: {i}\n\n", Encoding.UTF8, context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            await NextEvent.WaitAsync(context.RequestAborted);
        }
    }

    private static Task MoveAsync(HttpContext context)
    {
        context.Response.Redirect("/report/moved");
        return Task.CompletedTask;
    }

    private static Task ExchangeCookieAsync(HttpContext context)
    {
        context.Response.Cookies.Append("biscuit", "crumbs");
        return context.Response.WriteAsync(context.Request.Cookies["biscuit"] ?? "none");
    }

    /// <summary>Sends a compressed body, even if the client has not asked for it.</summary>
    private static async Task SendZippedAsync(HttpContext context)
    {
        context.Response.Headers.ContentEncoding = "gzip";
        context.Response.Headers["x-accepted"] = context.Request.Headers.AcceptEncoding.ToString();
        await using var zip = new GZipStream(context.Response.Body, CompressionLevel.Fastest);
        await zip.WriteAsync("zipped"u8.ToArray(), context.RequestAborted);
    }

    private static async Task EchoAsync(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var buffer = new byte[100];
        while (true)
        {
            var received = await socket.ReceiveAsync(buffer, context.RequestAborted);
            if (received.MessageType == WebSocketMessageType.Close)
            {
                await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, context.RequestAborted);
                return;
            }

            await socket.SendAsync(
                buffer.AsMemory(0, received.Count), received.MessageType, received.EndOfMessage,
            context.RequestAborted);
        }
    }
}
