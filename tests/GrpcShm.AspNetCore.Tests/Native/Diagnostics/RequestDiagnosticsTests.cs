using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace GrpcShm.AspNetCore.Tests.Native.Diagnostics;

/// <summary>
/// What is told of a native call is what hosting, routing and grpc-dotnet tell of the same call in the full pipeline:
/// lines with their scopes, spans, and metrics with their tags, in the same order.
/// </summary>
public sealed class RequestDiagnosticsTests
{
    private const StringComparison Ordinal = StringComparison.Ordinal;

    [Theory]
    [InlineData(CallEnd.Answer, LogLevel.Information)]
    [InlineData(CallEnd.Status, LogLevel.Information)]
    [InlineData(CallEnd.Throw, LogLevel.Information)]
    [InlineData(CallEnd.Cancel, LogLevel.Information)]
    [InlineData(CallEnd.Abort, LogLevel.Information)]
    [InlineData(CallEnd.Answer, LogLevel.Warning)]
    [InlineData(CallEnd.Throw, LogLevel.Warning)]
    [InlineData(CallEnd.Answer, LogLevel.None)]
    public async Task Call_OfEachEnd_IsToldAsInThePipeline(CallEnd end, LogLevel level)
    {
        var lines = await new ToldCall { End = end, Level = level, IsMeasured = true }.CompareAsync();

        Assert.Contains(lines, static line => line.StartsWith("http.server.request.duration > 0 ", Ordinal));
        Assert.Equal(
            level == LogLevel.None ? ["no span"] : ["Microsoft.AspNetCore.Hosting.HttpRequestIn"],
            lines.Where(static line => line.StartsWith("handler ", Ordinal))
                .Select(line => level == LogLevel.None ? line[8..] : line.Split(' ')[1]));
        Assert.Equal(
            level == LogLevel.Information, lines.Any(static line => line.Contains("Request finished", Ordinal)));
    }

    [Theory]
    [InlineData(Origin.None, ActivitySamplingResult.AllDataAndRecorded, CallEnd.Answer)]
    [InlineData(Origin.None, ActivitySamplingResult.None, CallEnd.Answer)]
    [InlineData(Origin.Sampled, ActivitySamplingResult.AllDataAndRecorded, CallEnd.Answer)]
    [InlineData(Origin.Sampled, ActivitySamplingResult.AllDataAndRecorded, CallEnd.Status)]
    [InlineData(Origin.Sampled, ActivitySamplingResult.AllDataAndRecorded, CallEnd.Throw)]
    [InlineData(Origin.Sampled, ActivitySamplingResult.AllDataAndRecorded, CallEnd.Cancel)]
    [InlineData(Origin.Sampled, ActivitySamplingResult.AllData, CallEnd.Answer)]
    [InlineData(Origin.Sampled, ActivitySamplingResult.PropagationData, CallEnd.Answer)]
    [InlineData(Origin.Sampled, ActivitySamplingResult.None, CallEnd.Answer)]
    [InlineData(Origin.NotSampled, ActivitySamplingResult.AllData, CallEnd.Answer)]
    [InlineData(Origin.Malformed, ActivitySamplingResult.AllData, CallEnd.Answer)]
    public async Task Call_WithAListenerToSpans_IsToldAsInThePipeline(
        Origin origin, ActivitySamplingResult sampling, CallEnd end)
    {
        var lines = await new ToldCall { End = end, Origin = origin, Sampling = sampling }.CompareAsync();

        Assert.Contains(lines, static line => line.StartsWith("sample ", Ordinal));
        Assert.Equal(
            sampling != ActivitySamplingResult.None,
            lines.Any(static line => line.StartsWith("stopped ", Ordinal)));
    }

    [Theory]
    [InlineData(ActivitySamplingResult.AllData)]
    [InlineData(ActivitySamplingResult.None)]
    public async Task Call_WithAListenerToSpansAndNoLog_IsToldAsInThePipeline(ActivitySamplingResult sampling)
    {
        var lines = await new ToldCall
        {
            Origin = Origin.Sampled,
            Sampling = sampling,
            Level = LogLevel.None,
        }.CompareAsync();

        Assert.Equal(
            sampling == ActivitySamplingResult.None,
            lines.Any(static line => line.StartsWith("handler no span", Ordinal)));
    }

    [Theory]
    [InlineData(Origin.Sampled)]
    [InlineData(Origin.NotSampled)]
    [InlineData(Origin.Malformed)]
    [InlineData(Origin.RequestId)]
    public async Task Call_WithAParentAndNoListener_IsToldAsInThePipeline(Origin origin)
    {
        var lines = await new ToldCall { Origin = origin, Level = LogLevel.Warning }.CompareAsync();

        // The default propagator knows no other header.
        Assert.Equal(
            origin is Origin.Sampled or Origin.NotSampled,
            lines.Any(static line => line.Contains($"of 00-{ToldCall.Trace}-{ToldCall.Parent}-", Ordinal)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Call_WithAnotherPropagator_IsToldAsInThePipeline(bool isHeard)
    {
        var lines = await new ToldCall
        {
            Origin = Origin.Sampled,
            Sampling = isHeard ? ActivitySamplingResult.AllData : null,
            Configure = static builder =>
                builder.Services.AddSingleton<DistributedContextPropagator>(new OwnPropagator()),
        }.CompareAsync();

        Assert.Contains(lines, static line =>
            line.StartsWith("handler ", Ordinal)
            && line.Contains($"00-{ToldCall.Trace}-{ToldCall.OtherParent}-01", Ordinal)
            && line.Contains("own=state", Ordinal)
            && line.Contains("x-parent=read", Ordinal));
    }

    [Fact]
    public async Task Call_WhoseHandlerAddsTags_IsMeasuredAsInThePipeline()
    {
        var lines = await new ToldCall
        {
            IsMeasured = true,
            Look = static features =>
            {
                var tags = features.GetRequiredFeature<IHttpMetricsTagsFeature>().Tags;
                tags.Add(new("own", 1));
                tags.Add(new("error.type", "own"));
            },
        }.CompareAsync();

        Assert.Contains(lines, static line =>
            line.StartsWith("http.server.request.duration", Ordinal)
            && line.EndsWith("own=1 (Int32), error.type=own (String)]", Ordinal));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Call_WhoseDurationIsHidden_IsMeasuredAsInThePipeline(bool byEndpoint)
    {
        var lines = await new ToldCall
        {
            IsMeasured = true,
            Map = mapped =>
            {
                if (byEndpoint)
                {
                    mapped.DisableHttpMetrics();
                }
            },
            Look = features =>
                features.GetRequiredFeature<IHttpMetricsTagsFeature>().MetricsDisabled = !byEndpoint,
        }.CompareAsync();

        Assert.Contains(lines, static line => line.StartsWith("http.server.active_requests -1 ", Ordinal));
        Assert.DoesNotContain(lines, static line => line.StartsWith("http.server.request.duration", Ordinal));
    }

    [Fact]
    public async Task Call_WhoseResponseFails_IsToldAsInThePipeline()
    {
        var lines = await new ToldCall
        {
            End = CallEnd.Status,
            IsMeasured = true,
            Sampling = ActivitySamplingResult.AllData,
            Look = static features => features.GetRequiredFeature<IHttpResponseFeature>().OnStarting(
                static _ => throw new InvalidOperationException("It fails."), new object()),
        }.CompareAsync();

        Assert.Contains(lines, static line =>
            line.StartsWith("http.server.request.duration", Ordinal)
            && line.Contains("http.response.status_code=500 (Int32)", Ordinal)
            && line.Contains("error.type=System.InvalidOperationException (String)", Ordinal));
    }

    [Fact]
    public async Task Calls_OneAfterAnother_AreToldAsInThePipeline()
    {
        var lines = await new ToldCall
        {
            Count = 3,
            IsMeasured = true,
            Sampling = ActivitySamplingResult.AllData,
        }.CompareAsync();

        Assert.Equal(
            [":00000001", ":00000002", ":00000003"],
            lines.Where(static line => line.Contains("In the handler", Ordinal))
                .Select(static line => line[line.IndexOf(":0", Ordinal)..][..9]));
    }

    [Fact]
    public async Task Call_WhoseHandlerChangesItsSpan_IsToldAsInThePipeline()
    {
        var lines = await new ToldCall
        {
            Sampling = ActivitySamplingResult.AllData,
            Look = static features =>
            {
                var span = features.GetRequiredFeature<IHttpActivityFeature>().Activity;
                span.DisplayName = "own";
                span.SetStatus(ActivityStatusCode.Error, "It is bad.");
                span.AddTag("own", true);
            },
        }.CompareAsync();

        Assert.Contains(lines, static line =>
            line.StartsWith("stopped ", Ordinal) && line.Contains(" own ", Ordinal)
            && line.Contains("own=True", Ordinal));
    }

    /// <summary>Reads other headers than the usual ones.</summary>
    private sealed class OwnPropagator : DistributedContextPropagator
    {
        public override IReadOnlyCollection<string> Fields => ["x-parent"];

        public override void Inject(Activity? activity, object? carrier, PropagatorSetterCallback? setter)
        {
        }

        public override void ExtractTraceIdAndState(
            object? carrier, PropagatorGetterCallback? getter, out string? traceId, out string? traceState)
        {
            getter!(carrier, "x-parent", out var parent, out var others);
            Assert.Equal("own", parent);
            Assert.Null(others);
            traceId = $"00-{ToldCall.Trace}-{ToldCall.OtherParent}-01";
            traceState = "own=state";
        }

        public override IEnumerable<KeyValuePair<string, string?>>? ExtractBaggage(
            object? carrier, PropagatorGetterCallback? getter) => [new("x-parent", "read"), new("second", null)];
    }
}
