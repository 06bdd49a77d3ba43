using System.IO.Pipelines;
using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Tests.Calls;

/// <summary>
/// If others have to know first that a call has failed, its reader and its writer learn of it after that, and not
/// before.
/// </summary>
public sealed class CallFailingTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Flush_ResetHasDroppedItsBytes_IsToldLaterAndNotThatTheyWereWritten()
    {
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var pair = await CallPair.CreateAsync(async call =>
        {
            await goOn.Task.InTime();
            call.Reset(CallError.Internal);
        });
        var call = pair.Begin();
        call.TellsLater = true;
        var flush = await WaitForCreditAsync(call);

        goOn.SetResult();
        await call.Left.InTime();

        Assert.False(flush.IsCompleted);
        call.Tell();
        Assert.True((await flush.InTime()).IsCompleted);
    }

    [Fact]
    public async Task Flush_SecondGiverUpResetsTheCall_IsToldByTheFirst()
    {
        await using var pair = await CallPair.CreateAsync(static call => call.Failed);
        var call = pair.Begin();
        var flush = await WaitForCreditAsync(call);

        // One thread has decided that the call is over, and has not noted it yet. Another thread notes it, too, and
        // goes on to the reset.
        call.Note();
        call.Reset(CallError.Cancelled);
        var begunLater = flush.IsCompleted;
        call.Note();

        Assert.False(begunLater || flush.IsCompleted);
        call.Tell();
        Assert.True((await flush.InTime()).IsCompleted);
    }

    [Fact]
    public async Task Flush_FailureIsNotedAgainAfterItWasTold_EndsAtOnce()
    {
        await using var pair = await CallPair.CreateAsync(static call => call.Failed);
        var call = pair.Begin();
        await call.SendAsync(new byte[1]);
        call.Note();
        call.Reset(CallError.Cancelled);
        call.Tell();

        call.Note();

        Assert.True((await call.Output.WriteAsync(new byte[1], Token).InTime()).IsCompleted);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Write_AsTheConnectionIsLost_EndsWhenThatIsToldAndNotBefore(bool tellsLater)
    {
        await using var pair = await CallPair.CreateAsync(static call => call.Failed);
        var call = pair.Begin();
        await call.SendAsync(new byte[1]);
        Task<FlushResult>? write = null;
        var wasTold = false;
        call.TellsLater = tellsLater;
        call.Failing = () =>
        {
            // Nothing is sent any more, and nobody has been told the reason.
            write = call.Output.WriteAsync(new byte[1], Token).AsTask();
            wasTold = write.IsCompleted;
        };

        pair.ClientConnection.Abort(new CloseCause(CloseCode.Aborted, "for the test", ByPeer: false));
        await call.Left.InTime();

        Assert.False(wasTold);
        if (tellsLater)
        {
            Assert.False(write!.IsCompleted);
            call.Tell();
        }

        Assert.True((await write!.InTime()).IsCompleted);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Read_WhoseTokenFiresByASettledFailure_EndsWhenThatIsToldAndNotBefore(bool isFiredBefore)
    {
        var body = new ReceivedBody(new TestCall(new RunProfile(RunMode.ThreadPool)).Stream);
        using var source = new CancellationTokenSource();
        var read = isFiredBefore ? null : body.ReadAsync(source.Token).AsTask();
        body.Settle(new IOException("for the test"), byPeer: false);
        await source.CancelAsync();
        read ??= body.ReadAsync(source.Token).AsTask();

        Assert.False(read.IsCompleted);
        body.ShowFailure();
        Assert.Equal("for the test", (await Assert.ThrowsAsync<IOException>(() => read).InTime()).Message);
    }

    [Fact]
    public void Read_FailureIsSettledAndNotTold_GivesWhatHadCome()
    {
        var body = new ReceivedBody(new TestCall(new RunProfile(RunMode.ThreadPool)).Stream);
        body.Add([1, 2, 3]);
        body.Show();

        body.Settle(new IOException("It has failed."), byPeer: true);

        Assert.True(body.TryRead(out var result));
        Assert.Equal((3, false), (result.Buffer.Length, result.IsCompleted));
        body.AdvanceTo(result.Buffer.End);
        Assert.False(body.TryRead(out _));
        body.ShowFailure();
        Assert.Equal("It has failed.", Assert.Throws<IOException>(() => body.TryRead(out _)).Message);
    }

    private static async Task<Task<FlushResult>> WaitForCreditAsync(TestCall call)
    {
        await call.WritePatternAsync(0, CallSettings.Window, 20_000);
        return call.Output.WriteAsync(Pattern.Take(CallSettings.Window, 100), Token).AsTask();
    }
}
