using System.Text.Json;

namespace GrpcShm.Samples.Tests;

/// <summary>The output of a sample that has ended.</summary>
internal sealed record SampleResult(int ExitCode, string Output, string Error)
{
    public string LastLine => Output.TrimEnd().Split('\n')[^1].TrimEnd();

    /// <summary>The last line, which must be JSON.</summary>
    public JsonElement Json => JsonSerializer.Deserialize<JsonElement>(LastLine);

    /// <summary>The whole output, for the message of a failed test.</summary>
    public override string ToString() => $"exit code {ExitCode}\n{Output}\n{Error}";
}
