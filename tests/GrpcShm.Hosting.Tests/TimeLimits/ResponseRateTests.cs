using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace GrpcShm.Hosting.Tests.TimeLimits;

/// <summary>Responses that nobody reads.</summary>
public sealed class ResponseRateTests
{
    private const int Grace = 5;
    private const int Size = 4 * 1024 * 1024;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Response_NeverRead_EndsItsCallAlone()
    {
        var aborted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await StartAsync(context => WriteAsync(context, aborted));
        using var invoker = server.CreateInvoker();
        using var response = await SendAsync(invoker, "all");

        server.Heartbeat.Beat(Grace);
        Assert.False(aborted.Task.IsCompleted, "The call was ended before its time was over.");
        await server.Heartbeat.UntilAsync(() => aborted.Task.IsCompleted);

        await Assert.ThrowsAnyAsync<IOException>(() => ReadAsync(response));
        using var other = await SendAsync(invoker, "some");
        Assert.Equal(5, await ReadAsync(other));
        Assert.Equal((1, 1), (server.Accepted, server.Live));
    }

    [Fact]
    public async Task Response_NeverReadAndItsHandlerIsDone_Ends()
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await StartAsync(context =>
        {
            context.Response.OnCompleted(() =>
            {
                done.TrySetResult();
                return Task.CompletedTask;
            });
            context.Response.BodyWriter.Write(new byte[Size]);
            return Task.CompletedTask;
        });
        using var invoker = server.CreateInvoker();
        using var response = await SendAsync(invoker, "all");
        await done.Task.WaitAsync(TimeLimit.Value, Token);

        server.Heartbeat.Beat(Grace * 10);

        await Assert.ThrowsAnyAsync<IOException>(() => ReadAsync(response));
        Assert.Equal((1, 1), (server.Accepted, server.Live));
    }

    [Fact]
    public async Task Response_ReadLaterWithinTheTime_ComesWhole()
    {
        var aborted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await StartAsync(context => WriteAsync(context, aborted));
        using var invoker = server.CreateInvoker();
        using var response = await SendAsync(invoker, "all");

        server.Heartbeat.Beat(Grace);

        Assert.Equal(Size, await ReadAsync(response));
        Assert.False(aborted.Task.IsCompleted, "The call was aborted.");
    }

    [Fact]
    public async Task Response_WithNothingToSend_MayStayIdle()
    {
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await StartAsync(async context =>
        {
            await context.Response.BodyWriter.WriteAsync(new byte[5], Token);
            await goOn.Task;
            await context.Response.BodyWriter.WriteAsync(new byte[5], Token);
        });
        using var invoker = server.CreateInvoker();
        using var response = await SendAsync(invoker, "some");

        server.Heartbeat.Beat(2000);

        goOn.SetResult();
        Assert.Equal(10, await ReadAsync(response));
    }

    [Fact]
    public async Task Response_WithoutALimit_MayWaitForEver()
    {
        var aborted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await LimitedServer.StartAsync(
            static limits => limits.MinResponseDataRate = null, context => WriteAsync(context, aborted));
        using var invoker = server.CreateInvoker();
        using var response = await SendAsync(invoker, "all");

        server.Heartbeat.Beat(2000);

        Assert.Equal(Size, await ReadAsync(response));
    }

    /// <summary>With Kestrel's own heartbeat, and the shortest limits that it can check.</summary>
    [Fact]
    public async Task Response_NeverReadByKestrelsHeartbeat_IsAborted()
    {
        var aborted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await LimitedServer.StartAsync(
            static limits => limits.MinResponseDataRate = new MinDataRate(100_000_000, TimeSpan.FromSeconds(1.1)),
            context => WriteAsync(context, aborted),
            hasOwnHeartbeat: false);
        using var invoker = server.CreateInvoker();
        using var response = await SendAsync(invoker, "all");

        await aborted.Task.WaitAsync(TimeLimit.Value, Token);

        await Assert.ThrowsAnyAsync<IOException>(() => ReadAsync(response));
    }

    private static Task<LimitedServer> StartAsync(RequestDelegate handler) => LimitedServer.StartAsync(
        static limits => limits.MinResponseDataRate = new MinDataRate(1_000_000, TimeSpan.FromSeconds(Grace)), handler);

    /// <summary>A handler that writes more data than there is credit for, or only a little.</summary>
    private static async Task WriteAsync(HttpContext context, TaskCompletionSource aborted)
    {
        using var registration = context.RequestAborted.Register(() => aborted.TrySetResult());
        if (context.Request.Path.Value!.EndsWith("some", StringComparison.Ordinal))
        {
            await context.Response.BodyWriter.WriteAsync(new byte[5], Token);
            return;
        }

        const int Piece = 16 * 1024;
        for (var sent = 0; sent < Size; sent += Piece)
        {
            if ((await context.Response.BodyWriter.WriteAsync(new byte[Piece], Token)).IsCompleted)
            {
                await aborted.Task.WaitAsync(TimeLimit.Value, Token);
                return;
            }
        }
    }

    private static async Task<HttpResponseMessage> SendAsync(HttpMessageInvoker invoker, string method)
    {
        using var request = LimitedServer.Request(method, new ByteArrayContent([1]));
        return await invoker.SendAsync(request, Token).WaitAsync(TimeLimit.Value, Token);
    }

    private static async Task<long> ReadAsync(HttpResponseMessage response)
    {
        await using var body = await response.Content.ReadAsStreamAsync(Token);
        var buffer = new byte[64 * 1024];
        var total = 0L;
        while (await body.ReadAsync(buffer, Token).AsTask().WaitAsync(TimeLimit.Value, Token) is var count and > 0)
        {
            total += count;
        }

        return total;
    }
}
