using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace GrpcShm.Hosting.Tests.TimeLimits;

/// <summary>Requests whose data comes slowly, or not at all.</summary>
public sealed class RequestRateTests
{
    private const int Rate = 240;
    private const int Grace = 5;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Data_TooSlow_EndsItsCallAlone()
    {
        var reading = new Reading();
        await using var server = await StartAsync(reading.ReadAsync);
        using var invoker = server.CreateInvoker();
        using var slowContent = new HeldContent();
        using var otherContent = new HeldContent();
        using var slow = LimitedServer.Request("slow", slowContent);
        using var other = LimitedServer.Request("untimed", otherContent);
        var sending = invoker.SendAsync(slow, Token);
        var sendingOther = invoker.SendAsync(other, Token);
        slowContent.Send(1);
        otherContent.Send(1);
        await reading.UntilAsync(2);

        server.Heartbeat.Beat(Grace);
        slowContent.Send(1);
        await reading.UntilAsync(3);
        await server.Heartbeat.UntilAsync(() => reading.Failure.IsCompleted);

        var failure = await reading.Failure;
        Assert.IsAssignableFrom<IOException>(failure);
        Assert.Contains("MinRequestBodyDataRate", failure.ToString(), StringComparison.Ordinal);
        await reading.Aborted.WaitAsync(TimeLimit.Value, Token);
        await Assert.ThrowsAsync<HttpRequestException>(() => sending.WaitAsync(TimeLimit.Value, Token));
        otherContent.Send(1);
        otherContent.End();
        using var response = await sendingOther.WaitAsync(TimeLimit.Value, Token);
        Assert.True(response.IsSuccessStatusCode);
        Assert.Equal((1, 1), (server.Accepted, server.Live));
    }

    [Fact]
    public async Task Data_FastEnough_IsReadForAsLongAsItTakes()
    {
        var reading = new Reading();
        await using var server = await StartAsync(reading.ReadAsync);
        using var invoker = server.CreateInvoker();
        using var content = new HeldContent();
        using var request = LimitedServer.Request("timed", content);
        var sending = invoker.SendAsync(request, Token);
        for (var second = 0; second < 100; second++)
        {
            content.Send(Rate);
            await reading.UntilAsync((second + 1) * Rate);
            server.Heartbeat.Beat(1);
        }

        content.End();
        using var response = await sending.WaitAsync(TimeLimit.Value, Token);
        Assert.True(response.IsSuccessStatusCode);
    }

    [Fact]
    public async Task Data_NobodyWaitsForIt_IsNotTimed()
    {
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var reading = new Reading();
        await using var server = await StartAsync(async context =>
        {
            begun.SetResult();
            await goOn.Task;
            await reading.ReadAsync(context);
        });
        using var invoker = server.CreateInvoker();
        using var content = new HeldContent();
        using var request = LimitedServer.Request("late", content);
        var sending = invoker.SendAsync(request, Token);
        content.Send(1);
        await begun.Task.WaitAsync(TimeLimit.Value, Token);

        server.Heartbeat.Beat(2000);

        goOn.SetResult();
        await reading.UntilAsync(1);
        content.End();
        using var response = await sending.WaitAsync(TimeLimit.Value, Token);
        Assert.True(response.IsSuccessStatusCode);
    }

    [Fact]
    public async Task Data_WithoutALimit_MayTakeForEver()
    {
        var reading = new Reading();
        await using var server = await LimitedServer.StartAsync(
            static limits => limits.MinRequestBodyDataRate = null, reading.ReadAsync);
        using var invoker = server.CreateInvoker();
        using var content = new HeldContent();
        using var request = LimitedServer.Request("timed", content);
        var sending = invoker.SendAsync(request, Token);
        content.Send(1);
        await reading.UntilAsync(1);

        server.Heartbeat.Beat(2000);

        content.End();
        using var response = await sending.WaitAsync(TimeLimit.Value, Token);
        Assert.True(response.IsSuccessStatusCode);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Feature_IsAsOverHttp2(bool overUnixSocket)
    {
        var seen = new TaskCompletionSource<(string Get, string Set, bool HasResponseRate)>(
            TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await StartAsync(context =>
        {
            var feature = context.Features.Get<IHttpMinRequestBodyDataRateFeature>()!;
            seen.SetResult((
                Assert.Throws<NotSupportedException>(() => (object?)feature.MinDataRate).Message,
                Assert.Throws<NotSupportedException>(
                    () => { feature.MinDataRate = new MinDataRate(1, TimeSpan.FromSeconds(2)); }).Message,
                context.Features.Get<IHttpMinResponseDataRateFeature>() is not null));
            feature.MinDataRate = null;
            return Task.CompletedTask;
        });
        using var invoker = server.CreateInvoker(overUnixSocket);
        using var request = LimitedServer.Request("feature", new ByteArrayContent([1]));

        using var response = await invoker.SendAsync(request, Token).WaitAsync(TimeLimit.Value, Token);

        const string Message =
            "This feature is not supported for HTTP/2 and HTTP/3 requests "
            + "except to disable it entirely by setting the rate to null.";
        Assert.Equal((Message, Message, false), await seen.Task.WaitAsync(TimeLimit.Value, Token));
    }

    /// <summary>With Kestrel's own heartbeat, and the shortest limits that it can check.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Data_TooSlowByKestrelsHeartbeat_IsAnIOExceptionOnEitherTransport(bool overUnixSocket)
    {
        var reading = new Reading();
        await using var server = await LimitedServer.StartAsync(
            static limits => limits.MinRequestBodyDataRate = new MinDataRate(1_000_000, TimeSpan.FromSeconds(1.1)),
            reading.ReadAsync,
            hasOwnHeartbeat: false);
        using var invoker = server.CreateInvoker(overUnixSocket);
        using var content = new HeldContent();
        using var request = LimitedServer.Request("timed", content);
        var sending = invoker.SendAsync(request, Token);
        content.Send(1);

        var failure = Assert.IsAssignableFrom<IOException>(await reading.Failure.WaitAsync(TimeLimit.Value, Token));
        Assert.Equal("The request stream was aborted.", failure.Message);
        await reading.Aborted.WaitAsync(TimeLimit.Value, Token);
        await Assert.ThrowsAsync<HttpRequestException>(() => sending.WaitAsync(TimeLimit.Value, Token));
    }

    private static Task<LimitedServer> StartAsync(RequestDelegate handler) => LimitedServer.StartAsync(
        static limits => limits.MinRequestBodyDataRate = new MinDataRate(Rate, TimeSpan.FromSeconds(Grace)), handler);

    /// <summary>A handler that reads the whole request, and notes its outcome.</summary>
    private sealed class Reading
    {
        private readonly TaskCompletionSource<Exception> _failure = new(
            TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _aborted = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private long _read;

        public Task<Exception> Failure => _failure.Task;

        public Task Aborted => _aborted.Task;

        /// <summary>Waits until all handlers together have read this number of bytes.</summary>
        public Task UntilAsync(long count) => TimeLimit.UntilAsync(() => Volatile.Read(ref _read) >= count);

        public async Task ReadAsync(HttpContext context)
        {
            if (context.Request.Path.Value!.EndsWith("untimed", StringComparison.Ordinal))
            {
                context.Features.Get<IHttpMinRequestBodyDataRateFeature>()!.MinDataRate = null;
            }

            using var registration = context.RequestAborted.Register(() => _aborted.TrySetResult());
            var buffer = new byte[4096];
            try
            {
                while (await context.Request.Body.ReadAsync(buffer, Token) is var count and > 0)
                {
                    Interlocked.Add(ref _read, count);
                }
            }
            catch (Exception exception)
            {
                _failure.TrySetResult(exception);
                await Aborted.WaitAsync(TimeLimit.Value, Token);
                throw;
            }
        }
    }
}
