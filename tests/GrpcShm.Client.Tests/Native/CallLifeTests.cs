using System.Buffers;
using Grpc.Core;
using GrpcShm.Client.Tests.Direct;

namespace GrpcShm.Client.Tests.Native;

/// <summary>
/// Calls that a channel frames by itself end once, each with its own answer, and leave nothing behind: the objects that
/// carried them serve other calls.
/// </summary>
public sealed class CallLifeTests
{
    private const int Callers = 8;
    private const int CallsOfEach = 400;

    private static CancellationToken TestToken => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Calls_GivenUpAtAnyMoment_NeverGetTheAnswerOfAnother()
    {
        await using var server = new FakeServer(Responses.EchoAsync);
        using var channel = await server.CreateNativeChannelAsync();
        var invoker = channel.CreateCallInvoker();

        await Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(() => CallAsync(invoker, caller))));

        var connection = await server.AcceptedAsync();
        await connection.UntilIdleAsync();
        Assert.Equal([7], await invoker.CallAsync([7]));
        Assert.Equal(1, server.Accepted);
        Assert.StartsWith("grpcshm-dotnet/", server.LastUserAgent, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Streams_GivenUpAtAnyMoment_EndAndLeaveTheConnection()
    {
        await using var server = new FakeServer(EchoEachAsync);
        using var channel = await server.CreateNativeChannelAsync();
        var invoker = channel.CreateCallInvoker();

        await Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(() => StreamAsync(invoker, caller))));

        var connection = await server.AcceptedAsync();
        await connection.UntilIdleAsync();
        Assert.Equal(1, server.Accepted);
        Assert.StartsWith("grpcshm-dotnet/", server.LastUserAgent, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deadlines_OfCallsOneAfterTheOther_EndTheCallsThatAreOverdueAlone()
    {
        await using var server = new FakeServer(Responses.EchoAsync);
        using var channel = await server.CreateNativeChannelAsync();
        var invoker = channel.CreateCallInvoker();

        for (var i = 0; i < 20; i++)
        {
            var soon = new CallOptions(deadline: DateTime.UtcNow + TimeSpan.FromMilliseconds(20));
            var overdue = await Assert.ThrowsAsync<RpcException>(() => invoker.CallAsync(Responses.Unanswered, soon));
            Assert.Equal(StatusCode.DeadlineExceeded, overdue.StatusCode);
            Assert.Equal([1], await invoker.CallAsync([1]));
        }
    }

    [Fact]
    public async Task Deadline_OfACallThatHasEnded_DoesNotEndTheNextCall()
    {
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new FakeServer(async call =>
        {
            var body = await call.ReadWholeAsync();
            if (body[^1] == 2)
            {
                await goOn.Task;
            }

            Responses.SetGrpcHeaders(call);
            call.Output.Write(body);
            call.SetTrailers(("grpc-status", "0"));
            call.EndOutput();
        });
        using var channel = await server.CreateNativeChannelAsync();
        var invoker = channel.CreateCallInvoker();

        // This arms a timer, which stays armed when the call has been answered in time.
        var deadline = DateTime.MinValue;
        for (var time = TimeSpan.FromMilliseconds(100); deadline == DateTime.MinValue; time *= 2)
        {
            try
            {
                var soon = new CallOptions(deadline: DateTime.UtcNow + time);
                Assert.Equal([1], await invoker.CallAsync([1], soon));
                deadline = soon.Deadline!.Value;
            }
            catch (RpcException exception) when (exception.StatusCode == StatusCode.DeadlineExceeded)
            {
                Assert.True(time < TimeLimit.Value, "No call is answered in its time.");
            }
        }

        var next = invoker.CallAsync([2]);
        await TimeLimit.UntilAsync(
            () => DateTime.UtcNow > deadline + TimeSpan.FromMilliseconds(50), () => "The time stands still.");
        goOn.SetResult();
        Assert.Equal([2], await next);
    }

    [Fact]
    public async Task Streams_ForgottenByTheirCallers_AreGivenUpAndLeaveNothing()
    {
        await using var server = new FakeServer(async call =>
        {
            Responses.SetGrpcHeaders(call);
            await call.SendAsync(Responses.Message([1]));
        });
        using var channel = await server.CreateNativeChannelAsync();
        var invoker = channel.CreateCallInvoker();

        for (var i = 0; i < 100; i++)
        {
            await ForgetStreamAsync(invoker);
        }

        var connection = await server.AcceptedAsync();
        await TimeLimit.UntilAsync(
            () =>
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                return connection.Calls.ActiveCalls == 0;
            },
            () => $"{connection.Calls.ActiveCalls} calls go on that nobody can read.");
        var held = new List<AsyncServerStreamingCall<byte[]>>();
        for (var i = 0; i < 100; i++)
        {
            held.Add(invoker.AsyncServerStreamingCall(Responses.ServerStreaming, null, default, [1]));
        }

        Assert.InRange(channel.Native!.Cancellations.Count, 100, 150);
        held.ForEach(static call => call.Dispose());
    }

    [Fact]
    public async Task Dispose_OfTheChannel_EndsCallsAsDisposed()
    {
        await using var server = new FakeServer(Responses.NeverAsync);
        var channel = await server.CreateNativeChannelAsync();
        var invoker = channel.CreateCallInvoker();
        var unary = invoker.AsyncUnaryCall(Responses.Unary, null, Responses.CallOptions, [1]);
        var duplex = invoker.AsyncDuplexStreamingCall(Responses.Duplex, null, Responses.CallOptions);
        var read = duplex.ResponseStream.MoveNext(TestToken);
        await TimeLimit.UntilAsync(() => server.CallsTaken == 2, () => $"{server.CallsTaken} calls were taken.");

        channel.Dispose();

        foreach (Func<Task> wait in new Func<Task>[] { () => unary.ResponseAsync.InTime(), () => read.InTime() })
        {
            var failure = await Assert.ThrowsAsync<RpcException>(wait);
            Assert.Equal(StatusCode.Cancelled, failure.StatusCode);
            Assert.Equal("gRPC call disposed.", failure.Status.Detail);
        }

        Assert.Throws<ObjectDisposedException>(
            () => invoker.AsyncUnaryCall(Responses.Unary, null, Responses.CallOptions, [1]));
    }

    [Fact]
    public async Task Token_OfManyCalls_KeepsNothingOfThem()
    {
        await using var server = new FakeServer(Responses.EchoAsync);
        using var channel = await server.CreateNativeChannelAsync();
        var invoker = channel.CreateCallInvoker();
        using var longLived = new CancellationTokenSource();

        var last = await CallAndForgetAsync(invoker, longLived.Token);

        await TimeLimit.UntilAsync(
            () =>
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                return !last.IsAlive;
            },
            () => "The token, or a timer, keeps the response of a call that has ended.");
    }

    private static async Task ForgetStreamAsync(CallInvoker invoker)
    {
        // A token would keep the call.
        var call = invoker.AsyncServerStreamingCall(Responses.ServerStreaming, null, default, [1]);
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None).InTime());
    }

    private static async Task<WeakReference> CallAndForgetAsync(CallInvoker invoker, CancellationToken token)
    {
        WeakReference? last = null;
        for (var i = 0; i < 100; i++)
        {
            var options = new CallOptions(deadline: DateTime.UtcNow + TimeSpan.FromHours(1), cancellationToken: token);
            last = new WeakReference(await invoker.CallAsync([1], options));
        }

        return last!;
    }

    private static async Task CallAsync(CallInvoker invoker, int caller)
    {
        var random = new Random(caller);
        for (var i = 0; i < CallsOfEach; i++)
        {
            using var source = new CancellationTokenSource();
            byte[] request = [(byte)caller, (byte)i, (byte)(i >> 8)];
            var options = Responses.CallOptions.WithCancellationToken(source.Token);
            var isOverdue = random.Next(8) == 0;
            if (isOverdue)
            {
                options = options.WithDeadline(DateTime.UtcNow + TimeSpan.FromTicks(random.Next(20_000)));
            }

            using var call = invoker.AsyncUnaryCall(Responses.Unary, null, options, request);
            var way = random.Next(4);
            var spins = random.Next(2_000);
            await Task.Run(() =>
            {
                Thread.SpinWait(spins);
                if (way == 0)
                {
                    source.Cancel();
                }
                else if (way == 1)
                {
                    call.Dispose();
                }
            });

            try
            {
                Assert.Equal(request, await call.ResponseAsync.InTime());
            }
            catch (RpcException exception)
            {
                var isExpected = exception.StatusCode == StatusCode.Cancelled
                    ? way < 2 : isOverdue && exception.StatusCode == StatusCode.DeadlineExceeded;
                Assert.True(isExpected, exception.ToString());
            }
        }
    }

    private static async Task StreamAsync(CallInvoker invoker, int caller)
    {
        var random = new Random(caller);
        for (var i = 0; i < CallsOfEach; i++)
        {
            using var source = new CancellationTokenSource();
            var options = Responses.CallOptions.WithCancellationToken(source.Token);
            using var call = invoker.AsyncDuplexStreamingCall(Responses.Duplex, null, options);
            byte[] request = [(byte)caller, (byte)i, (byte)(i >> 8)];
            var way = random.Next(5);
            var spins = random.Next(5_000);

            // With a token of its own a read takes another path than without.
            var token = random.Next(2) == 0 ? CancellationToken.None : TestToken;
            var giveUp = Task.Run(() =>
            {
                Thread.SpinWait(spins);
                if (way == 0)
                {
                    source.Cancel();
                }
                else if (way == 1)
                {
                    call.Dispose();
                }
            });
            try
            {
                await call.RequestStream.WriteAsync(request).InTime();
                if (way == 2)
                {
                    // Left behind halfway: only its disposal ends it.
                    continue;
                }

                Assert.True(await call.ResponseStream.MoveNext(token).InTime());
                Assert.Equal(request, call.ResponseStream.Current);
                await call.RequestStream.CompleteAsync().InTime();
                Assert.False(await call.ResponseStream.MoveNext(token).InTime());
                Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
            }
            catch (RpcException exception)
            {
                Assert.True(way < 2 && exception.StatusCode == StatusCode.Cancelled, exception.ToString());
            }
            catch (ObjectDisposedException)
            {
                Assert.Equal(1, way);
            }
            finally
            {
                await giveUp.InTime();
            }
        }
    }

    private static async Task EchoEachAsync(TestCall call)
    {
        Responses.SetGrpcHeaders(call);
        try
        {
            while (true)
            {
                var read = await call.Input.ReadAsync(CancellationToken.None).InTime();
                foreach (var piece in read.Buffer)
                {
                    if ((await call.Output.WriteAsync(piece, CancellationToken.None).InTime()).IsCompleted)
                    {
                        return;
                    }
                }

                call.Input.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                {
                    call.SetTrailers(("grpc-status", "0"));
                    call.EndOutput();
                    return;
                }
            }
        }
        catch (IOException)
        {
            // The client has given the call up.
        }
    }
}
