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
    }

    [Theory]
    [InlineData(MethodType.Unary)]
    [InlineData(MethodType.ClientStreaming)]
    [InlineData(MethodType.ServerStreaming)]
    [InlineData(MethodType.DuplexStreaming)]
    public async Task Call_BeyondItsDeadline_LooksAsOverGrpcDotnet(MethodType type)
    {
        await using var server = new FakeServer(Responses.NeverAsync);
        foreach (var throws in new[] { false, true })
        {
            var options = new GrpcChannelOptions { ThrowOperationCanceledOnCancellation = throws };
            using var theirs = server.CreateChannel(options);
            using var ours = await server.CreateNativeChannelAsync(options);

            var expected = await CallRecord.MakeAsync(theirs.CreateCallInvoker(), type, Soon());
            var actual = await CallRecord.MakeAsync(ours.CreateCallInvoker(), type, Soon());

            AssertAlike(expected, actual);
        }
    }

    [Theory]
    [InlineData(MethodType.Unary)]
    [InlineData(MethodType.ClientStreaming)]
    [InlineData(MethodType.ServerStreaming)]
    [InlineData(MethodType.DuplexStreaming)]
    public async Task Call_CancelledOnItsWay_LooksAsOverGrpcDotnet(MethodType type)
    {
        await using var server = new FakeServer(Responses.NeverAsync);
        foreach (var throws in new[] { false, true })
        {
            var options = new GrpcChannelOptions { ThrowOperationCanceledOnCancellation = throws };
            using var theirs = server.CreateChannel(options);
            using var ours = await server.CreateNativeChannelAsync(options);

            var expected = await CancelAsync(server, theirs.CreateCallInvoker(), type);
            var actual = await CancelAsync(server, ours.CreateCallInvoker(), type);

            AssertAlike(expected, actual);
        }
    }

    private static void AssertAlike(string expected, string actual) =>
        Assert.True(expected == actual, $"Over grpc-dotnet:\n{expected}\nframed by itself:\n{actual}");

    private static CallOptions Soon() => new(deadline: DateTime.UtcNow + TimeSpan.FromMilliseconds(50));

    private static async Task<string> CancelAsync(FakeServer server, CallInvoker invoker, MethodType type)
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
