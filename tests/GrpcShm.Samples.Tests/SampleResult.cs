using System.Text.Json;

namespace GrpcShm.Samples.Tests;

/// <summary>What a sample that has ended left.</summary>
internal sealed record SampleResult(int ExitCode, string Output, string Error)
{
    public string LastLine => Output.TrimEnd().Split('\n')[^1].TrimEnd();

    /// <summary>The last line, which has to be JSON.</summary>
    public JsonElement Json => JsonSerializer.Deserialize<JsonElement>(LastLine);

    /// <summary>All of it, for a test that fails.</summary>
    public override string ToString() => $"exit code {ExitCode}\n{Output}\n{Error}";
}
