using System.Globalization;
using System.Text;
using GrpcShm.Differential.Hosting;

namespace GrpcShm.Differential.Requests;

/// <summary>A request, as any client may send it.</summary>
internal sealed record GeneratedRequest(
    long Number,
    IReadOnlyList<Field> Fields,
    IReadOnlyList<byte[]> Body,
    IReadOnlyList<Field>? Trailers,
    Ending Ending,
    IReadOnlyList<int> Splits,
    Reading Reading)
{
    public long BodyLength => Body.Sum(static b => (long)b.Length);

    /// <summary>True if there is no body, and the headers do not say so.</summary>
    public bool IsEndSeparate =>
        BodyLength == 0 && (Body.Count > 0 || Trailers is not null || Ending != Ending.WithLast);

    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var field in Fields)
        {
            text.Append(CultureInfo.InvariantCulture, $"  {field}\n");
        }

        text.Append(
            CultureInfo.InvariantCulture, $"  body: {string.Join(" + ", Body.Select(static b => b.Length))} bytes\n");
        foreach (var field in Trailers ?? [])
        {
            text.Append(CultureInfo.InvariantCulture, $"  trailer {field}\n");
        }

        var splits = string.Join(", ", Splits);
        return text.Append(
            CultureInfo.InvariantCulture,
            $"  ending: {Ending}, reading: {Reading}, trailers: {Trailers is not null}, split at: {splits}\n")
            .ToString();
    }
}
