using System.Text.Json;

namespace GrpcShm.Samples.Comparison.Reporting;

/// <summary>The file of a run: a JSON array with one object for each measurement.</summary>
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

    /// <exception cref="ComparisonException">The file was not written by <see cref="WriteAsync"/>.</exception>
    public static async Task<IReadOnlyList<JsonMeasurement>> ReadAsync(string path)
    {
        try
        {
            await using var file = File.OpenRead(path);
            return await JsonSerializer.DeserializeAsync<IReadOnlyList<JsonMeasurement>>(file, Options) ?? [];
        }
        catch (JsonException exception)
        {
            throw new ComparisonException(
                $"'{path}' was not written by --json, or by another version of it: {exception.Message}", exception);
        }
    }
}
