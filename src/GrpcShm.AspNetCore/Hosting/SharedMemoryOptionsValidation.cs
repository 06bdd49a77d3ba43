using Microsoft.Extensions.Options;

namespace GrpcShm.AspNetCore.Hosting;

/// <summary>
/// Refuses, when the server starts, options that contradict each other, and values that a property cannot refuse by
/// itself.
/// </summary>
internal sealed class SharedMemoryOptionsValidation : IValidateOptions<SharedMemoryTransportOptions>
{
    public ValidateOptionsResult Validate(string? name, SharedMemoryTransportOptions options)
    {
        var failures = new List<string>();
        CheckIsNotMore(
            nameof(options.RingSize), options.RingSize, nameof(options.MaxRingSize), options.MaxRingSize, failures);
        CheckIsNotMore(
            nameof(options.MaxBufferedBytesPerConnection),
            options.MaxBufferedBytesPerConnection,
            nameof(options.MaxBufferedBytes),
            options.MaxBufferedBytes,
            failures);

        // Not by the properties: the binder of the configuration sets them to the octal number, read as a decimal
        // number, before SharedMemorySection sets them to the right value.
        CheckMode(nameof(LinuxRendezvousOptions.SocketMode), options.LinuxRendezvous.SocketMode, failures);
        CheckMode(nameof(LinuxRendezvousOptions.DirectoryMode), options.LinuxRendezvous.DirectoryMode, failures);
        return failures.Count > 0 ? ValidateOptionsResult.Fail(failures) : ValidateOptionsResult.Success;
    }

    private static void CheckIsNotMore(string name, long value, string limitName, long limit, List<string> failures)
    {
        if (value > limit)
        {
            failures.Add(
                $"{nameof(SharedMemoryTransportOptions)}.{name} is {value} bytes, more than {limitName}, which is "
                + $"{limit}. Raise {limitName}, or lower {name}.");
        }
    }

    private static void CheckMode(string name, UnixFileMode mode, List<string> failures)
    {
        if (Choices.FindMistake(mode, $"{nameof(LinuxRendezvousOptions)}.{name}") is { } mistake)
        {
            failures.Add(mistake);
        }
    }
}
