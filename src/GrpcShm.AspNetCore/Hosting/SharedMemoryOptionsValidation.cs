using System.Globalization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace GrpcShm.AspNetCore.Hosting;

/// <summary>
/// Refuses, when the server starts, options that contradict each other, and values that a property cannot refuse by
/// itself.
/// </summary>
/// <remarks>
/// A connection's bound of buffered bytes that still has its default value is not refused: whoever lowers the bound of
/// the whole endpoint has said enough, since the lower of the two bounds decides.
/// </remarks>
internal sealed class SharedMemoryOptionsValidation(IConfiguration configuration)
    : IValidateOptions<SharedMemoryTransportOptions>
{
    private static readonly SharedMemoryTransportOptions Defaults = new();

    public ValidateOptionsResult Validate(string? name, SharedMemoryTransportOptions options)
    {
        var failures = new List<string>();
        CheckIsNotMore(
            nameof(options.RingSize), options.RingSize, nameof(options.MaxRingSize), options.MaxRingSize, failures);
        if (options.MaxBufferedBytesPerConnection != Defaults.MaxBufferedBytesPerConnection)
        {
            CheckIsNotMore(
                nameof(options.MaxBufferedBytesPerConnection),
                options.MaxBufferedBytesPerConnection,
                nameof(options.MaxBufferedBytes),
                options.MaxBufferedBytes,
                failures);
        }

        failures.AddRange(options.LinuxRendezvous.FindMistakes());
        return failures.Count > 0 ? ValidateOptionsResult.Fail(failures) : ValidateOptionsResult.Success;
    }

    private void CheckIsNotMore(string name, long value, string limitName, long limit, List<string> failures)
    {
        if (value > limit)
        {
            var wrong = KeyOf(name, value) ?? $"{nameof(SharedMemoryTransportOptions)}.{name}";
            failures.Add(
                $"{wrong} is {value} bytes, more than {KeyOf(limitName, limit) ?? limitName}, which is {limit}. Raise "
                + $"{limitName}, or lower {name}.");
        }
    }

    /// <summary>The key that a value comes from; nothing if code has set the value.</summary>
    private string? KeyOf(string name, long value)
    {
        var setting = configuration.GetSection(SharedMemorySection.Name).GetSection(name);
        return long.TryParse(setting.Value, NumberStyles.Integer, CultureInfo.InvariantCulture, out var configured)
            && configured == value
                ? $"'{setting.Path}'"
                : null;
    }
}
