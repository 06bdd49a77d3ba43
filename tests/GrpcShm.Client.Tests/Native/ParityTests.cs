using Grpc.Core;
using Grpc.Net.Client;
using GrpcShm.Client.Tests.Direct;

namespace GrpcShm.Client.Tests.Native;

/// <summary>
/// A channel that frames its calls by itself shows its callers what grpc-dotnet shows them, whatever the server
/// answers.
/// </summary>
public sealed class ParityTests
{
    public static TheoryData<string, MethodType> Cases()
    {
        var cases = new TheoryData<string, MethodType>();
        foreach (var answer in Answers.All.Keys)
        {
            foreach (var type in Enum.GetValues<MethodType>())
            {
                cases.Add(answer, type);
            }
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Call_AnsweredInAnyWay_LooksAsOverGrpcDotnet(string answer, MethodType type)
    {
        await using var server = new FakeServer(Answers.All[answer]);
        using var theirs = server.CreateChannel();
        using var ours = await server.CreateNativeChannelAsync();

        var expected = await CallRecord.MakeAsync(theirs.CreateCallInvoker(), type, Responses.CallOptions);
        var actual = await CallRecord.MakeAsync(ours.CreateCallInvoker(), type, Responses.CallOptions);

        AssertAlike(expected, actual);

        // Else grpc-dotnet was compared with itself.
        Assert.StartsWith("grpcshm-dotnet/", server.LastUserAgent, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(MethodType.Unary)]
    [InlineData(MethodType.ClientStreaming)]
    [InlineData(MethodType.ServerStreaming)]
    [InlineData(MethodType.DuplexStreaming)]
    public async Task Call_BeyondItsDeadline_LooksAsOverGrpcDotnet(MethodType type)
    {
        await using var server = new FakeServer(Responses.EchoAsync);
        await CompareAsync(server, invoker => RecordOverdueAsync(invoker, type));
    }

    [Theory]
    [InlineData(MethodType.Unary)]
    [InlineData(MethodType.ClientStreaming)]
    [InlineData(MethodType.ServerStreaming)]
    [InlineData(MethodType.DuplexStreaming)]
    public async Task Call_CancelledOnItsWay_LooksAsOverGrpcDotnet(MethodType type)
    {
        await using var server = new FakeServer(Responses.NeverAsync);
        await CompareAsync(server, invoker => CancelAsync(server, invoker, type));
    }

    [Theory]
    [InlineData(typeof(ObjectDisposedException))]
    [InlineData(typeof(InvalidOperationException))]
    [InlineData(typeof(IOException))]
    [InlineData(typeof(FormatException))]
    [InlineData(typeof(RpcException))]
    public async Task Call_WhoseMessageCannotBeWritten_LooksAsOverGrpcDotnet(Type type)
    {
        var failing = Marshallers.Create<byte[]>(
            _ => throw (type == typeof(RpcException)
                ? new RpcException(new Status(StatusCode.DataLoss, "Lost."))
                : (Exception)Activator.CreateInstance(type, "Not to be written.")!),
            static bytes => bytes);
        var bytes = Marshallers.Create(static bytes => bytes, static bytes => bytes);
        await using var server = new FakeServer(Responses.EchoAsync);
        using var theirs = server.CreateChannel();
        using var ours = await server.CreateNativeChannelAsync();

        var expected = await RecordAsync(theirs.CreateCallInvoker());
        var actual = await RecordAsync(ours.CreateCallInvoker());

        AssertAlike(expected, actual);

        async Task<string> RecordAsync(CallInvoker invoker)
        {
            using var unary = invoker.AsyncUnaryCall(
                new Method<byte[], byte[]>(MethodType.Unary, "test.Fake", "Unary", failing, bytes),
                null,
                Responses.CallOptions,
                [1]);
            using var stream = invoker.AsyncServerStreamingCall(
                new Method<byte[], byte[]>(MethodType.ServerStreaming, "test.Fake", "ServerStreaming", failing, bytes),
                null,
                Responses.CallOptions,
                [1]);
            var first = await Assert.ThrowsAsync<RpcException>(() => unary.ResponseAsync.InTime());
            var second = await Assert.ThrowsAsync<RpcException>(
                () => stream.ResponseStream.MoveNext(TestContext.Current.CancellationToken).InTime());
            return $"{first.Status} {second.Status}";
        }
    }

    /// <summary>Compares calls that end before they are answered, with either kind of exception.</summary>
    private static async Task CompareAsync(FakeServer server, Func<CallInvoker, Task<string>> record)
    {
        foreach (var throws in new[] { false, true })
        {
            var options = new GrpcChannelOptions { ThrowOperationCanceledOnCancellation = throws };
            using var theirs = server.CreateChannel(options);
            using var ours = await server.CreateNativeChannelAsync(options);

            var expected = await record(theirs.CreateCallInvoker());
            var before = server.CallsTaken;
            var actual = await record(ours.CreateCallInvoker());

            AssertAlike(expected, actual);
            await server.AssertNativeSinceAsync(before);
        }
    }

    private static void AssertAlike(string expected, string actual) =>
        Assert.True(expected == actual, $"Over grpc-dotnet:\n{expected}\nframed by itself:\n{actual}");

    /// <summary>
    /// Records a call that the server does not answer. On a busy machine the deadline may pass while the request is
    /// still written, which the record would show: then the call has more time.
    /// </summary>
    internal static async Task<string> RecordOverdueAsync(
        CallInvoker invoker, MethodType type, Func<Task>? prepare = null)
    {
        Assert.Equal([1], await invoker.CallAsync([1]));
        for (var time = TimeSpan.FromMilliseconds(50); time < TimeLimit.Value; time *= 2)
        {
            await (prepare?.Invoke() ?? Task.CompletedTask);
            var isWritten = false;
            var options = new CallOptions(deadline: DateTime.UtcNow + time);
            var record = await CallRecord.MakeAsync(
                invoker, type, options, () => isWritten = DateTime.UtcNow < options.Deadline, Responses.Unanswered);
            if (isWritten)
            {
                return record;
            }
        }

        throw new TimeoutException("Not even the request of a call can be written.");
    }

    internal static async Task<string> CancelAsync(FakeServer server, CallInvoker invoker, MethodType type)
    {
        using var source = new CancellationTokenSource();
        var before = server.CallsTaken;
        var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var record = CallRecord.MakeAsync(
            invoker, type, new CallOptions(cancellationToken: source.Token), written.SetResult);
        await written.Task.InTime();
        await TimeLimit.UntilAsync(() => server.CallsTaken > before, () => "The server has not taken the call.");
        await source.CancelAsync();
        return await record.InTime();
    }
}
