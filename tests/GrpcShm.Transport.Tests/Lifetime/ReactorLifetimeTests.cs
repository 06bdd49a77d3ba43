using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Signaling;
using GrpcShm.Transport.Tests.Signaling;

namespace GrpcShm.Transport.Tests.Lifetime;

/// <summary>The reactors of a process start with its first connection and end after its last.</summary>
[Collection(AloneCollection.Name)]
public sealed class ReactorLifetimeTests
{
    [Fact]
    public async Task Connections_AllGone_ThreadsAndPollerGoAsWell()
    {
        // The registration keeps the process's own reactor running meanwhile.
        using var bell = TransportPlatform.Current.CreateDoorbell();
        using var registration = ProcessReactors.Next().Register(bell.Source, new FakeTarget());
        await IsolatedCopy.RunAsync(
            typeof(ReactorLifetimeTests),
            nameof(ConnectAndEndAsync),
            () => (
                ProcessUse.Now.ReactorThreads,
                Descriptors.Of(static target => target == "anon_inode:[eventpoll]").Count()));
    }

    [Fact]
    public async Task Unload_ReactorHasNothingToServe_ItEndsAtOnce()
    {
        using var bell = TransportPlatform.Current.CreateDoorbell();
        using var registration = ProcessReactors.Next().Register(bell.Source, new FakeTarget());
        var threads = ProcessUse.Now.ReactorThreads;
        await IsolatedCopy.RunAsync(typeof(ReactorLifetimeTests), nameof(ConnectWithoutAnEndAsync));
        await TimeLimit.UntilAsync(
            () => ProcessUse.Now.ReactorThreads <= threads,
            () => $"{ProcessUse.Now.ReactorThreads} threads, {threads} before.");
    }

    [Fact]
    public Task ConnectAndDispose_WhileTheReactorEnds_NoConnectionIsLost() =>
        IsolatedCopy.RunAsync(typeof(ReactorLifetimeTests), nameof(ConnectInALoopAsync));

    [Fact]
    public Task SpinTotals_ReactorsEndAndBeginAgain_NeverGoBack() =>
        IsolatedCopy.RunAsync(typeof(ReactorLifetimeTests), nameof(CompareTotalsAsync));

    /// <summary>In a copy of its own: connects, disposes of everything, and waits.</summary>
    /// <param name="count">How many threads of reactors and sentinels, and how many pollers, the process has.</param>
    internal static async Task ConnectAndEndAsync(Func<(int Threads, int Pollers)> count)
    {
        var reactor = ProcessReactors.Next();
        ProcessReactors.IdleTime = TimeSpan.FromMilliseconds(1);
        for (var i = 0; i < 3; i++)
        {
            // Fewer threads are left if threads of other tests end meanwhile.
            var before = count();
            await using (var pair = await ConnectionPair.CreateAsync())
            {
                await EchoAsync(pair);
                Assert.True(reactor.IsRunning);
            }

            await TimeLimit.UntilAsync(
                () => count() is var now && now.Threads <= before.Threads && now.Pollers <= before.Pollers,
                () => $"{count()} are left, {before} were there.");
            Assert.False(reactor.IsRunning);
        }
    }

    /// <summary>In a copy of its own: leaves a reactor that would go on for a long time.</summary>
    internal static async Task ConnectWithoutAnEndAsync()
    {
        var reactor = ProcessReactors.Next();
        ProcessReactors.IdleTime = TimeSpan.FromHours(1);
        await using (var pair = await ConnectionPair.CreateAsync())
        {
            await EchoAsync(pair);
        }

        Assert.True(reactor.IsRunning);
    }

    /// <summary>
    /// In a copy of its own: each connection, with its listener, comes when the reactor of the last one ends.
    /// </summary>
    internal static async Task ConnectInALoopAsync()
    {
        var reactor = ProcessReactors.Next();
        var hasEnded = 0;
        for (var i = 0; i < 500; i++)
        {
            ProcessReactors.IdleTime = i % 2 == 0 ? TimeSpan.Zero : TimeSpan.FromMilliseconds(1);
            await using (var pair = await ConnectionPair.CreateAsync())
            {
                await EchoAsync(pair);
            }

            hasEnded += reactor.IsRunning ? 0 : 1;
        }

        // If the reactor never ends, this test has tried nothing.
        await TimeLimit.UntilAsync(() => hasEnded > 0 || !reactor.IsRunning, () => "It never ended.");
    }

    /// <summary>In a copy of its own.</summary>
    internal static async Task CompareTotalsAsync()
    {
        var reactor = ProcessReactors.Next();
        ProcessReactors.IdleTime = TimeSpan.Zero;
        var last = ProcessReactors.SpinTotals();
        for (var i = 0; i < 5; i++)
        {
            await using (var pair = await ConnectionPair.CreateAsync())
            {
                await EchoAsync(pair);
            }

            await TimeLimit.UntilAsync(() => !reactor.IsRunning, () => "It goes on.");
            var now = ProcessReactors.SpinTotals();
            Assert.True(now.Paid >= last.Paid && now.Unpaid >= last.Unpaid, $"{now} after {last}");
            last = now;
        }
    }

    private static async Task EchoAsync(ConnectionPair pair)
    {
        await using var client = new RingStream(pair.Client, FileAccess.ReadWrite);
        await using var server = new RingStream(pair.Server, FileAccess.ReadWrite);
        await StreamBytes.EchoAsync(client, server);
    }
}
