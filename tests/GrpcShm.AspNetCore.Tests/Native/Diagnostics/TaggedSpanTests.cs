using System.Diagnostics;

namespace GrpcShm.AspNetCore.Tests.Native.Diagnostics;

/// <summary>
/// The tags of spans that ASP.NET Core sets if a switch of the whole process asks for them. No other test runs
/// meanwhile.
/// </summary>
[Collection(AloneCollection.Name)]
public sealed class TaggedSpanTests : IDisposable
{
    private const string Switch = "Microsoft.AspNetCore.Hosting.SuppressActivityOpenTelemetryData";

    public TaggedSpanTests() => AppContext.SetSwitch(Switch, false);

    // Tags are suppressed by default.
    public void Dispose() => AppContext.SetSwitch(Switch, true);

    [Theory]
    [InlineData(ActivitySamplingResult.AllData)]
    [InlineData(ActivitySamplingResult.PropagationData)]
    [InlineData(null)]
    public async Task Span_WithTags_HasThoseOfThePipeline(ActivitySamplingResult? sampling)
    {
        var lines = await new ToldCall { Origin = Origin.Sampled, Sampling = sampling }.CompareAsync();

        Assert.Contains(lines, line =>
            line.StartsWith(sampling is null ? "handler " : "sample ", StringComparison.Ordinal)
            && line.Contains(
                "[server.address=diagnosed (String), server.port=80 (Int32), http.request.method=POST (String), "
                + "user_agent.original=grpc",
                StringComparison.Ordinal)
            && line.Contains(
                "url.scheme=http (String), url.path=/test.Diagnosed/Run (String)", StringComparison.Ordinal));
    }
}
