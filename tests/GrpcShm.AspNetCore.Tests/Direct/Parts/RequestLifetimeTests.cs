using GrpcShm.AspNetCore.Direct;
using GrpcShm.Transport.Calls;
using Microsoft.AspNetCore.Http.Features;

namespace GrpcShm.AspNetCore.Tests.Direct.Parts;

/// <summary>How a request is given up: first its token, then its body.</summary>
public sealed class RequestLifetimeTests : IAsyncLifetime
{
    private CallUnderTest _under = null!;

    private RequestLifetime Lifetime => _under.Call.Lifetime;

    private IHttpRequestLifetimeFeature Feature => Lifetime;

    public async ValueTask InitializeAsync()
    {
        _under = await CallUnderTest.CreateAsync();
        _under.Attach();
    }

    public ValueTask DisposeAsync() => _under.DisposeAsync();

    [Fact]
    public void Abort_TokenIsKnown_CancelsIt()
    {
        var token = Feature.RequestAborted;
        Assert.False(token.IsCancellationRequested);
        Assert.False(Lifetime.IsAborted);

        Lifetime.Abort(new IOException());

        Assert.True(Lifetime.IsAborted);
        Assert.True(token.IsCancellationRequested);
    }

    [Fact]
    public void RequestAborted_AskedForAfterwards_IsCancelled()
    {
        Lifetime.Abort(new IOException());

        Assert.True(Feature.RequestAborted.IsCancellationRequested);
    }

    [Fact]
    public async Task Abort_Twice_TellsTheReaderTheFirstReason()
    {
        var first = new IOException("first");

        Lifetime.Abort(first);
        Lifetime.Abort(new IOException("second"));

        Assert.Same(first, await Assert.ThrowsAsync<IOException>(ReadAsync));
    }

    [Fact]
    public async Task Abort_CallbackIsRunning_TellsTheReaderWhenThatHasReturned()
    {
        using var mayReturn = new ManualResetEventSlim();
        using var runs = new ManualResetEventSlim();
        using var registration = Feature.RequestAborted.Register(() =>
        {
            runs.Set();
            mayReturn.Wait(TimeLimit.Value);
        });
        var read = ReadAsync();

        Lifetime.Abort(new IOException("gone"));
        await TimeLimit.UntilAsync(() => runs.IsSet);
        Assert.False(read.IsCompleted);
        mayReturn.Set();

        Assert.Equal("gone", (await Assert.ThrowsAsync<IOException>(() => read.InTime())).Message);
    }

    [Fact]
    public async Task Abort_CallbackNeverReturns_TellsTheReaderAfterAWhile()
    {
        var time = new TimeOfTimers();
        _under.Application.Time = time;
        using var mayReturn = new ManualResetEventSlim();
        using var registration = Feature.RequestAborted.Register(() => mayReturn.Wait(TimeLimit.Value));
        var read = ReadAsync();

        Lifetime.Abort(new IOException("gone"));
        await TimeLimit.UntilAsync(() => time.IsWaitedFor);
        Assert.False(read.IsCompleted);
        time.Fire();

        Assert.Equal("gone", (await Assert.ThrowsAsync<IOException>(() => read.InTime())).Message);
        mayReturn.Set();
    }

    [Fact]
    public async Task Abort_CallbackThrows_LogsThatAndTellsTheReader()
    {
        var failure = new InvalidDataException();
        using var registration = Feature.RequestAborted.Register(() => throw failure);
        var read = ReadAsync();

        Lifetime.Abort(new IOException("gone"));

        Assert.Equal("gone", (await Assert.ThrowsAsync<IOException>(() => read.InTime())).Message);
        var line = await _under.Log.WaitForAsync("CallbackFailed", _under.Connection.ConnectionId);
        Assert.Same(failure, Assert.IsType<AggregateException>(line.Exception).InnerException);
    }

    [Fact]
    public async Task Abort_ByTheApplication_ResetsTheCallForTheClient()
    {
        var peer = await _under.StartAsync();
        var read = ReadAsync();

        Feature.Abort();

        Assert.True(Lifetime.IsAborted);
        Assert.Equal(CallError.Internal, (await peer.Failed.InTime()).Error);
        Assert.IsType<TaskCanceledException>(await Assert.ThrowsAnyAsync<Exception>(() => read));
    }

    [Fact]
    public void Abort_ByOneWhoKeptItBeyondItsEnd_DoesNothing()
    {
        _under.EndUse();

        Lifetime.Abort(new IOException());

        Assert.False(Lifetime.IsAborted);
        Assert.False(Feature.RequestAborted.IsCancellationRequested);
    }

    [Fact]
    public void RequestAborted_Replaced_IsTheApplicationsUntilTheCallIsReused()
    {
        using var own = new CancellationTokenSource();
        var before = Feature.RequestAborted;
        Feature.RequestAborted = own.Token;
        Assert.Equal(own.Token, Feature.RequestAborted);

        Lifetime.Abort(new IOException());
        Assert.False(Feature.RequestAborted.IsCancellationRequested);
        Assert.True(before.IsCancellationRequested);
        Lifetime.Reuse();

        Assert.False(Lifetime.IsAborted);
        Assert.NotEqual(own.Token, Feature.RequestAborted);
        Assert.False(Feature.RequestAborted.IsCancellationRequested);
        Assert.True(before.IsCancellationRequested);
    }

    private async Task ReadAsync() => await _under.Call.CallStream.Input.ReadAsync(CancellationToken.None).InTime();

    /// <summary>A time at which timers fire when a test says so.</summary>
    private sealed class TimeOfTimers : TimeProvider
    {
        private volatile Action? _fire;

        public bool IsWaitedFor => _fire is not null;

        public void Fire() => _fire!();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            _fire = () => callback(state);
            return new TestTimer();
        }

        private sealed class TestTimer : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => default;
        }
    }
}
