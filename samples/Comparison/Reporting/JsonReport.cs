using System.Text.Json;
using GrpcShm.Samples.Comparison.Measuring;

namespace GrpcShm.Samples.Comparison.Reporting;

/// <summary>The file to keep: a JSON array, one object a measurement.</summary>
internal static class JsonReport
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
    };

    public static async Task WriteAsync(string path, IReadOnlyList<Measurement> measurements)
    {
        var now = DateTimeOffset.UtcNow;
        var rows = measurements.Select(measurement => JsonMeasurement.Create(measurement, Machine.Current, now));
        await using var file = File.Create(path);
        await JsonSerializer.SerializeAsync(file, rows, Options);
    }
}
