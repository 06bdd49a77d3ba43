using System.Text.Json;

namespace GrpcShm.Samples.Comparison.Reporting;

/// <summary>The file to keep: a JSON array, one object a measurement.</summary>
internal static class JsonReport
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
    };

    public static async Task WriteAsync(string path, IReadOnlyList<JsonMeasurement> measurements)
    {
        await using var file = File.Create(path);
        await JsonSerializer.SerializeAsync(file, measurements, Options);
    }
}
