using System.Buffers;
using System.Runtime.CompilerServices;

namespace GrpcShm.Client.Tests.Direct;

/// <summary>No resources are left behind by responses and requests that end in an unusual way.</summary>
[Collection(AloneCollection.Name)]
public sealed class ResponseLeakTests
{
    private const int Handlers = 10;

    private static CancellationToken None => CancellationToken.None;

    public static TheoryData<string, bool> Ways
    {
        get
        {
            var ways = new TheoryData<string, bool>();
            foreach (var way in new[]
            {
                "whole, dropped unread", "whole, read and not disposed", "whole, read in part and dropped",
                "begun, dropped unread",
                "begun, read in part and dropped", "begun, stream taken and dropped",
                "begun, reading fails and dropped", "begun, disposed",
                "content throws at once", "content throws later", "content throws after the response",
                "cancelled before", "cancelled under way",
                "refused", "in a task that nobody awaits",
            })
            {
                ways.Add(way, false);
                ways.Add(way, true);
            }

            return ways;
        }
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Response_ThatEndsInAnyWay_LeavesNoDescriptors(string way, bool isDisposedFirst)
    {
        var current = "begun, disposed";
        await using var server = new FakeServer(call => AnswerAsync(call, Volatile.Read(ref current)));
        server.Options.IdleTimeout = Timeout.InfiniteTimeSpan;
        await UseAsync(server, current, isDisposedFirst: false);
        await server.SpareIsReadyAsync();
        var before = 0;
        await SettleAsync(() =>
        {
            // Resources that are made once exist from now on.
            var count = Descriptors.Count;
            (var isSettled, before) = (count == before, count);
            return isSettled;
        });

        Volatile.Write(ref current, way);
        for (var i = 0; i < Handlers; i++)
        {
            await UseAsync(server, way, isDisposedFirst);
        }

        await SettleAsync(() => Descriptors.Count <= before);
    }

    private static Task SettleAsync(Func<bool> condition) => TimeLimit.UntilAsync(
        () =>
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return condition();
        },
        () => $"There are too many descriptors:\n{Descriptors.List()}");

    private static async Task AnswerAsync(TestCall call, string way)
    {
        if (way == "refused")
        {
            call.Reset(GrpcShm.Transport.Calls.CallError.Internal);
            return;
        }

        if (way.StartsWith("cancelled", StringComparison.Ordinal)
            || way.StartsWith("content throws later", StringComparison.Ordinal))
        {
            return;
        }

        call.SetHeaders((":status", "200"));
        if (!way.StartsWith("whole", StringComparison.Ordinal))
        {
            await call.SendAsync(new byte[100]);
            if (way == "begun, reading fails and dropped")
            {
                call.Reset(GrpcShm.Transport.Calls.CallError.Internal);
            }

            return;
        }

        call.Output.Write(new byte[100]);
        call.EndOutput();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task UseAsync(FakeServer server, string way, bool isDisposedFirst)
    {
        var invoker = server.CreateInvoker();
        await (way.StartsWith("whole", StringComparison.Ordinal) || way.StartsWith("begun", StringComparison.Ordinal)
            ? ReceiveAsync(invoker, way, isDisposedFirst)
            : FailAsync(server, invoker, way));
        invoker.Dispose();
    }

    private static async Task ReceiveAsync(HttpMessageInvoker invoker, string way, bool isDisposedFirst)
    {
        var response = await invoker.SendAsync(Responses.Post(null), None).InTime();
        if (isDisposedFirst)
        {
            invoker.Dispose();
        }

        switch (way)
        {
            case "whole, read and not disposed":
                Assert.Equal(100, (await response.Content.ReadAsByteArrayAsync(None).InTime()).Length);
                break;
            case "whole, read in part and dropped" or "begun, read in part and dropped":
                await (await response.Content.ReadAsStreamAsync(None).InTime()).ReadExactlyAsync(
                    new byte[10], None).InTime();
                break;
            case "begun, stream taken and dropped":
                Assert.True((await response.Content.ReadAsStreamAsync(None).InTime()).CanRead);
                break;
            case "begun, reading fails and dropped":
                await Assert.ThrowsAnyAsync<Exception>(() => response.Content.CopyToAsync(Stream.Null, None).InTime());
                break;
            case "begun, disposed":
                response.Dispose();
                break;
        }
    }

    private static async Task FailAsync(FakeServer server, HttpMessageInvoker invoker, string way)
    {
        using var source = new CancellationTokenSource();
        var taken = server.CallsTaken;
        switch (way)
        {
            case "content throws at once":
                await Assert.ThrowsAsync<NotFiniteNumberException>(
                    () => invoker.SendAsync(
                        Responses.Post(new DelegateContent(static _ => throw new NotFiniteNumberException())), None)
                        .InTime());
                break;
            case "content throws later":
                await Assert.ThrowsAsync<NotFiniteNumberException>(() => invoker.SendAsync(
                    Responses.Post(new DelegateContent(static async stream =>
                    {
                        await stream.WriteAsync(new byte[10]);
                        await Task.Yield();
                        throw new NotFiniteNumberException();
                    })),
                    None).InTime());
                break;
            case "content throws after the response":
                var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                await invoker.SendAsync(
                    Responses.Post(new DelegateContent(async _ =>
                    {
                        await goOn.Task;
                        throw new NotFiniteNumberException();
                    })),
                    None).InTime();
                goOn.SetResult();
                break;
            case "cancelled before":
                await source.CancelAsync();
                await Assert.ThrowsAnyAsync<OperationCanceledException>(
                    () => invoker.SendAsync(Responses.Post(null), source.Token).InTime());
                break;
            case "cancelled under way":
                var sending = invoker.SendAsync(Responses.Post(null), source.Token);
                await UntilCallAsync(server, taken);
                await source.CancelAsync();
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending.InTime());
                break;
            case "refused":
                await Assert.ThrowsAsync<HttpRequestException>(
                    () => invoker.SendAsync(Responses.Post(null), None).InTime());
                break;
            default:
                _ = invoker.SendAsync(Responses.Post(null), None);
                await UntilCallAsync(server, taken);
                break;
        }
    }

    private static Task UntilCallAsync(FakeServer server, int taken) =>
        TimeLimit.UntilAsync(() => server.CallsTaken > taken, () => "No call came.");
}
