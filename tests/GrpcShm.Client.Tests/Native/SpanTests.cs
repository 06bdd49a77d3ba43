using System.Diagnostics;
using Grpc.Core;
using GrpcShm.Client.Native;
using GrpcShm.Client.Tests.Direct;
using GrpcShm.Transport.Calls;

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

    [Fact]
    public void Propagator_OfTheApplicationsOwn_WritesEachNameOnceAndNoneOfHttp()
    {
        using var span = StartSpan();
        var headers = new Metadata { { "own", "the caller's" } };

        var (fields, whyNot) = Write(
            headers,
            ("X-Trace", "1"), ("x-trace", "2"), ("Own", "3"), (":path", "/"), ("te", "gzip"), ("Content-Type", "text"),
            ("user-agent", "me"), ("grpc-timeout", "1S"), ("empty", null));

        Assert.Null(whyNot);
        Assert.Equal([("x-trace", "1"), ("empty", "")], fields);
        Assert.Contains("not ASCII", Write(headers, ("x-trace", "ü")).WhyNot, StringComparison.Ordinal);

        (List<(string, string)> Fields, string? WhyNot) Write(
            Metadata headers, params (string Name, string? Value)[] injected)
        {
            var block = new HeaderBlock();
            block.Begin();
            var whyNot = SentMetadata.Write(new Propagator(injected), span, headers, block, new SentPairs());
            var reader = new HeaderReader(block.Rest, new ReceivedPairs(), 100, 10_000);
            var fields = new List<(string, string)>();
            while (reader.Read())
            {
                fields.Add((reader.Name, reader.Value));
            }

            return (fields, whyNot);
        }
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

    private sealed class Propagator((string Name, string? Value)[] fields) : DistributedContextPropagator
    {
        public override IReadOnlyCollection<string> Fields => [];

        public override void Inject(Activity? activity, object? carrier, PropagatorSetterCallback? setter)
        {
            foreach (var (name, value) in fields)
            {
                setter!(carrier, name, value!);
            }
        }

        public override void ExtractTraceIdAndState(
            object? carrier, PropagatorGetterCallback? getter, out string? traceId, out string? traceState) =>
            throw new NotSupportedException();

        public override IEnumerable<KeyValuePair<string, string?>>? ExtractBaggage(
            object? carrier, PropagatorGetterCallback? getter) => throw new NotSupportedException();
    }
}
