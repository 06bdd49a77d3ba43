namespace GrpcShm.Hosting.Tests.TimeLimits;

/// <summary>Connections without calls.</summary>
public sealed class KeepAliveTimeoutTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(130);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Idle_ForTheWholeTime_IsClosedAndReplaced()
    {
        await using var server = await LimitedServer.StartAsync(static limits => limits.KeepAliveTimeout = Limit);
        using var channel = server.CreateChannel();
        var client = new Greeter.GreeterClient(channel);
        await client.GreetAsync(new Greeting { Name = "A" }, cancellationToken: Token);

        server.Heartbeat.Beat((int)Limit.TotalSeconds);
        Assert.Equal(0, server.Closed);

        // The client has its answer, but the handler may still run at the first of these beats.
        await server.Heartbeat.UntilAsync(() => server.Closed == 1);
        await TimeLimit.UntilAsync(() => server.Live == 0);

        Assert.Equal(
            "Hello, B.", (await client.GreetAsync(new Greeting { Name = "B" }, cancellationToken: Token)).Text);
        Assert.Equal(2, server.Accepted);
    }

    [Fact]
    public async Task Idle_CallsComeInTime_StaysOpen()
    {
        await using var server = await LimitedServer.StartAsync(static limits => limits.KeepAliveTimeout = Limit);
        using var channel = server.CreateChannel();
        var client = new Greeter.GreeterClient(channel);
        for (var i = 0; i < 20; i++)
        {
            await client.GreetAsync(new Greeting { Name = "A" }, cancellationToken: Token);
            server.Heartbeat.Beat((int)Limit.TotalSeconds);
        }

        Assert.Equal((0, 1), (server.Closed, server.Accepted));
    }

    [Fact]
    public async Task Busy_CallThatSaysNothing_StaysOpen()
    {
        await using var server = await LimitedServer.StartAsync(static limits => limits.KeepAliveTimeout = Limit);
        using var channel = server.CreateChannel();
        using var call = new Greeter.GreeterClient(channel).GreetAll(cancellationToken: Token);
        await call.RequestStream.WriteAsync(new Greeting { Name = "A" }, Token);
        await call.ResponseHeadersAsync.WaitAsync(TimeLimit.Value, Token);

        server.Heartbeat.Beat(2000);

        // gRPC turns the limit for data off by itself, since the streams of its clients may be silent.
        await call.RequestStream.WriteAsync(new Greeting { Name = "B" }, Token);
        await call.RequestStream.CompleteAsync();
        Assert.Equal("Hello, A and B.", (await call.ResponseAsync.WaitAsync(TimeLimit.Value, Token)).Text);
        Assert.Equal((0, 1), (server.Closed, server.Accepted));
    }

    [Fact]
    public async Task Idle_StopOfTheProcess_IsNotTakenForIt()
    {
        await using var server = await LimitedServer.StartAsync(static limits => limits.KeepAliveTimeout = Limit);
        using var channel = server.CreateChannel();
        var client = new Greeter.GreeterClient(channel);
        await client.GreetAsync(new Greeting { Name = "A" }, cancellationToken: Token);

        for (var i = 0; i < 100; i++)
        {
            server.Heartbeat.Beat(TimeSpan.FromHours(1));
        }

        Assert.Equal((0, 1), (server.Closed, server.Live));
    }

    /// <summary>With Kestrel's own heartbeat, and the shortest limit.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Idle_ByKestrelsHeartbeat_IsClosedOnEitherTransport(bool overUnixSocket)
    {
        await using var server = await LimitedServer.StartAsync(
            static limits => limits.KeepAliveTimeout = TimeSpan.FromTicks(1),
            static _ => Task.CompletedTask,
            hasOwnHeartbeat: false);
        using var kept = server.CreateInvoker(overUnixSocket);
        for (var i = 1; i <= 2; i++)
        {
            // The limit is so short that connections may be closed before a call has arrived.
            var before = server.Accepted;
            await TimeLimit.UntilAsync(IsServedAsync);
            await TimeLimit.UntilAsync(() => server.Live == 0);
            Assert.InRange(server.Accepted, before + 1, int.MaxValue);
        }

        async Task<bool> IsServedAsync()
        {
            // Over a socket a client that has not noticed the end yet loses the call that it sends at this moment.
            using var other = server.CreateInvoker(overUnixSocket);
            var invoker = overUnixSocket ? other : kept;
            using var request = LimitedServer.Request("nothing", new ByteArrayContent([1]));
            try
            {
                using var response = await invoker.SendAsync(request, Token);
                Assert.True(response.IsSuccessStatusCode);
                return true;
            }
            catch (HttpRequestException) when (overUnixSocket)
            {
                return false;
            }
        }
    }

    [Fact]
    public async Task Calls_ThatMeetTheClosing_AreAllServed()
    {
        const int Closings = 50;
        await using var server = await LimitedServer.StartAsync(
            static limits => limits.KeepAliveTimeout = TimeSpan.FromTicks(1));
        using var channel = server.CreateChannel();
        var client = new Greeter.GreeterClient(channel);
        using var stop = new CancellationTokenSource();
        var callers =
            Enumerable.Range(0, 2).Select(i => Task.Run(() => CallAsync(client, i, stop.Token), Token)).ToArray();

        var (closed, deadline) = (0, TimeLimit.Deadline);
        while (server.Closed < Closings && !callers.Any(static c => c.IsCompleted))
        {
            if (server.Closed > closed)
            {
                (closed, deadline) = (server.Closed, TimeLimit.Deadline);
            }

            Assert.True(DateTime.UtcNow < deadline, $"There were only {closed} closings.");
            server.Heartbeat.Beat(TimeSpan.Zero);
            server.Heartbeat.Beat(1);
            server.Heartbeat.Beat(1);

            // No further time passes until a client has answered.
            await TimeLimit.UntilAsync(() => !server.HasClosing);
        }

        await stop.CancelAsync();
        foreach (var caller in callers)
        {
            await caller.WaitAsync(TimeLimit.Value, Token);
        }
    }

    /// <summary>Calls at random moments, so also at any moment while a connection closes.</summary>
    private static async Task CallAsync(Greeter.GreeterClient client, int seed, CancellationToken stop)
    {
        var random = new Random(seed);
        while (!stop.IsCancellationRequested)
        {
            Thread.SpinWait(random.Next(20_000));
            if (random.Next(2) == 0)
            {
                Assert.Equal(
                    "Hello, A.", (await client.GreetAsync(new Greeting { Name = "A" }, cancellationToken: Token)).Text);
                continue;
            }

            // The content of this call cannot be sent again.
            using var call = client.GreetAll(cancellationToken: Token);
            await call.RequestStream.WriteAsync(new Greeting { Name = "A" }, Token);
            await call.RequestStream.WriteAsync(new Greeting { Name = "B" }, Token);
            await call.RequestStream.CompleteAsync();
            Assert.Equal("Hello, A and B.", (await call.ResponseAsync.WaitAsync(TimeLimit.Value, Token)).Text);
        }
    }
}
