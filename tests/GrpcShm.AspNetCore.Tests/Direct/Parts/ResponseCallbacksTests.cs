using GrpcShm.AspNetCore.Direct;

namespace GrpcShm.AspNetCore.Tests.Direct.Parts;

/// <summary>What is run before a response starts and when it is over.</summary>
public sealed class ResponseCallbacksTests : IAsyncLifetime
{
    private readonly List<string> _runs = [];
    private CallUnderTest _under = null!;
    private ResponseCallbacks _callbacks = null!;

    public async ValueTask InitializeAsync()
    {
        _under = await CallUnderTest.CreateAsync();
        _callbacks = new ResponseCallbacks(_under.Call);
    }

    public ValueTask DisposeAsync() => _under.DisposeAsync();

    [Fact]
    public async Task RunStartingAsync_Several_RunsTheLastOneFirst()
    {
        Assert.False(_callbacks.HasStarting);
        _callbacks.AddStarting(RunAsync, "first");
        _callbacks.AddStarting(RunAsync, "second");
        Assert.True(_callbacks.HasStarting);

        await _callbacks.RunStartingAsync();

        Assert.Equal(["second", "first"], _runs);
        Assert.False(_callbacks.HasStarting);
    }

    [Fact]
    public async Task RunStartingAsync_OneAddsAnother_RunsThatToo()
    {
        _callbacks.AddStarting(
            _ =>
            {
                _callbacks.AddStarting(RunAsync, "added");
                return Task.CompletedTask;
            },
            this);

        await _callbacks.RunStartingAsync();

        Assert.Equal(["added"], _runs);
    }

    [Fact]
    public async Task RunStartingAsync_OneThrows_ThrowsThatAndLeavesTheRest()
    {
        var failure = new InvalidDataException();
        _callbacks.AddStarting(RunAsync, "first");
        _callbacks.AddStarting(_ => Task.FromException(failure), this);

        Assert.Same(failure, await Assert.ThrowsAsync<InvalidDataException>(_callbacks.RunStartingAsync));

        Assert.Empty(_runs);
        Assert.True(_callbacks.HasStarting);
        _callbacks.ClearStarting();
        Assert.False(_callbacks.HasStarting);
    }

    [Fact]
    public async Task RunCompletedAsync_OneThrows_LogsThatAndRunsTheOthers()
    {
        var failure = new InvalidDataException();
        _callbacks.AddCompleted(RunAsync, "first");
        _callbacks.AddCompleted(_ => throw failure, this);
        _callbacks.AddCompleted(RunAsync, "last");

        await _callbacks.RunCompletedAsync();

        Assert.Equal(["last", "first"], _runs);
        Assert.Same(failure, (await _under.Log.WaitForAsync("ApplicationFailed", "")).Exception);
        await _callbacks.RunCompletedAsync();
        Assert.Equal(2, _runs.Count);
    }

    [Fact]
    public void BeginWait_SeveralAtOnce_CountsEachUntilItIsDisposed()
    {
        var first = _callbacks.BeginWait();
        var second = _callbacks.BeginWait();

        first.Dispose();
        Assert.True(_callbacks.AreAwaited);
        second.Dispose();
        Assert.False(_callbacks.AreAwaited);
    }

    [Fact]
    public async Task Reuse_HadSome_HasNone()
    {
        _callbacks.AddStarting(RunAsync, "starting");
        _callbacks.AddCompleted(RunAsync, "completed");

        _callbacks.Reuse();

        Assert.False(_callbacks.HasStarting);
        await _callbacks.RunCompletedAsync();
        Assert.Empty(_runs);
    }

    private Task RunAsync(object name)
    {
        _runs.Add((string)name);
        return Task.CompletedTask;
    }
}
