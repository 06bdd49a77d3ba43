using System.Diagnostics;
using Grpc.Core;
using GrpcShm.Client.Tests.Direct;

namespace GrpcShm.Client.Tests.Native;

/// <summary>A call within a span that nobody listens to is framed by the channel itself, and names the span.</summary>
public sealed class SpanTests
{
    private static readonly string[] OfTraces = ["traceparent", "tracestate", "baggage", "correlation-context"];

    public static TheoryData<MethodType> Types => [.. Enum.GetValues<MethodType>()];

    [Theory]
    [MemberData(nameof(Types))]
    public async Task Call_WithinASpan_TellsTheServerWhatGrpcDotnetTells(MethodType type)
    {
        var headers = new Headers();
        await using var server = new FakeServer(headers.EchoAsync);
        using var theirs = server.CreateChannel();
        using var ours = SharedMemoryChannel.ForAddress(server.EndPoint.ToString(), server.Options);
        using var span = StartSpan();

        await CallRecord.MakeAsync(theirs.CreateCallInvoker(), type, Responses.CallOptions);
        var expected = headers.Last;
        await CallRecord.MakeAsync(ours.CreateCallInvoker(), type, Responses.CallOptions);
        var actual = headers.Last;

        Assert.StartsWith("grpcshm-dotnet/", server.LastUserAgent, StringComparison.Ordinal);
        Assert.Equal(span.Id, actual["traceparent"]);
        Assert.Equal(
            ActivityContext.Parse(expected["traceparent"], null).TraceId,
            ActivityContext.Parse(actual["traceparent"], null).TraceId);
        expected.Remove("traceparent");
        actual.Remove("traceparent");
        Assert.Equal(expected, actual);
        Assert.Equal("vendor=1", actual["tracestate"]);
        Assert.Contains(actual.Values, static value => value.Contains("here", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Call_ThatWaitsBeyondTheSpan_NamesItAllTheSame()
    {
        var headers = new Headers();
        await using var server = new FakeServer(headers.EchoAsync, listens: false);
        using var channel = SharedMemoryChannel.ForAddress(server.EndPoint.ToString(), server.Options);
        Task<byte[]> call;
        string? id;
        using (var span = StartSpan())
        {
            id = span.Id;
            call = channel.CreateCallInvoker().CallAsync([1], Responses.CallOptions.WithWaitForReady());
        }

        Assert.Null(Activity.Current);
        server.Listen();

        Assert.Equal([1], await call);
        Assert.Equal(id, headers.Last["traceparent"]);
    }

    [Fact]
    public async Task Call_WhoseCallerNamesASpan_KeepsThatOne()
    {
        var headers = new Headers();
        await using var server = new FakeServer(headers.EchoAsync);
        using var channel = await server.CreateNativeChannelAsync();
        using var span = StartSpan();
        const string Own = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

        await channel.CreateCallInvoker().CallAsync(
            [1], Responses.CallOptions.WithHeaders(new Metadata { { "traceparent", Own } }));

        Assert.Equal(Own, headers.Last["traceparent"]);
        Assert.StartsWith("grpcshm-dotnet/", server.LastUserAgent, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Call_WithoutASpan_NamesNone()
    {
        var headers = new Headers();
        await using var server = new FakeServer(headers.EchoAsync);
        using var channel = await server.CreateNativeChannelAsync();

        await channel.CreateCallInvoker().CallAsync([1]);

        Assert.Empty(headers.Last);
    }

    private static Activity StartSpan()
    {
        var span = new Activity("test") { TraceStateString = "vendor=1" };
        span.AddBaggage("place", "here");
        return span.Start();
    }

    /// <summary>Echoes, and keeps the headers of the last call that are those of traces.</summary>
    private sealed class Headers
    {
        private volatile Dictionary<string, string> _last = [];

        public Dictionary<string, string> Last => _last;

        public async Task EchoAsync(TestCall call)
        {
            _last = (await call.HeadersReceived)
                .Where(static header => OfTraces.Contains(header.Name))
                .ToDictionary(static header => header.Name, static header => header.Value);
            await Responses.EchoAsync(call);
        }
    }
}
