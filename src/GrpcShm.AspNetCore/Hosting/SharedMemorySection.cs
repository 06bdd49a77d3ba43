using GrpcShm.Transport;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace GrpcShm.AspNetCore.Hosting;

/// <summary>
/// The section of the configuration that <see cref="SharedMemoryTransportOptions"/> are bound from. The binder ignores
/// keys that it does not know, and reads the mode of a file as a decimal number; here such keys are refused, and modes
/// are read as people write them.
/// </summary>
internal static class SharedMemorySection
{
    /// <summary>The name of the section.</summary>
    public const string Name = "SharedMemory";

    /// <summary>The keys with one value each, in the section itself.</summary>
    public static readonly string[] Keys =
    [
        nameof(SharedMemoryTransportOptions.HandshakeTimeout),
        nameof(SharedMemoryTransportOptions.MaxBufferedBytes),
        nameof(SharedMemoryTransportOptions.MaxBufferedBytesPerConnection),
        nameof(SharedMemoryTransportOptions.MaxCallsPerConnection),
        nameof(SharedMemoryTransportOptions.MaxPendingHandshakes),
        nameof(SharedMemoryTransportOptions.MaxRingSize),
        nameof(SharedMemoryTransportOptions.MaxUnconsumedBytes),
        nameof(SharedMemoryTransportOptions.MaxUnconsumedBytesPerCall),
        nameof(SharedMemoryTransportOptions.Mode),
        nameof(SharedMemoryTransportOptions.RingSize),
        nameof(SharedMemoryTransportOptions.RunMode),
        nameof(SharedMemoryTransportOptions.RunProtocolInline),
        nameof(SharedMemoryTransportOptions.RuntimeDirectory),
        nameof(SharedMemoryTransportOptions.UseChecksums),
        nameof(SharedMemoryTransportOptions.UseNativeDispatch),
        nameof(SharedMemoryTransportOptions.WaitForName),
    ];

    /// <summary>The keys below <see cref="Linux"/>, each of which is the mode of a file.</summary>
    public static readonly string[] LinuxKeys =
        [nameof(LinuxRendezvousOptions.DirectoryMode), nameof(LinuxRendezvousOptions.SocketMode)];

    /// <summary>The key of the list of endpoints.</summary>
    public const string Endpoints = nameof(SharedMemoryTransportOptions.Endpoints);

    /// <summary>The key of the section for Linux alone.</summary>
    public const string Linux = "Linux";

    /// <summary>Refuses what the binder would ignore or misread. Before the options are bound.</summary>
    /// <exception cref="OptionsValidationException">Something is wrong; the message says what, where and what to
    /// write.</exception>
    public static void Check(IConfigurationSection section)
    {
        var failures = new List<string>();
        var children = section.GetChildren().ToList();
        if (children.Count == 0)
        {
            // A section of a file may have a value, too: that of an environment variable with the same name, which is
            // meant for something else.
            CheckHasNoValue(section, "a section with settings", failures);
        }

        foreach (var child in children)
        {
            if (SectionRemark.Is(child.Key))
            {
                continue;
            }

            if (IsOneOf(child.Key, [Endpoints]))
            {
                CheckHasNoValue(child, $"a list: [ \"orders\" ], or '{child.Path}:0' for its first entry", failures);
                foreach (var endPoint in child.GetChildren())
                {
                    CheckHasNoKeys(endPoint, failures);
                    CheckIsAddress(endPoint, failures);
                }
            }
            else if (IsOneOf(child.Key, [Linux]))
            {
                CheckLinux(child, failures);
            }
            else if (IsOneOf(child.Key, Keys))
            {
                CheckHasNoKeys(child, failures);
                CheckValue(child, failures);
            }
            else
            {
                failures.Add($"'{child.Path}' is no setting. {Advise(section, child.Key)}");
            }
        }

        if (failures.Count > 0)
        {
            throw new OptionsValidationException(
                Options.DefaultName, typeof(SharedMemoryTransportOptions), failures);
        }
    }

    /// <summary>Sets the modes of files, in the place of the decimal numbers that the binder took them for.</summary>
    public static void SetModes(SharedMemoryTransportOptions options, IConfigurationSection section)
    {
        var linux = section.GetSection(Linux);
        options.LinuxRendezvous.DirectoryMode =
            ReadMode(linux, nameof(LinuxRendezvousOptions.DirectoryMode)) ?? options.LinuxRendezvous.DirectoryMode;
        options.LinuxRendezvous.SocketMode =
            ReadMode(linux, nameof(LinuxRendezvousOptions.SocketMode)) ?? options.LinuxRendezvous.SocketMode;
    }

    private static UnixFileMode? ReadMode(IConfigurationSection linux, string key) =>
        linux[key] is { Length: > 0 } text && FileModeText.TryParse(text, out var mode) ? mode : null;

    private static void CheckLinux(IConfigurationSection linux, List<string> failures)
    {
        CheckHasNoValue(linux, "a section with settings", failures);
        foreach (var child in linux.GetChildren())
        {
            if (SectionRemark.Is(child.Key))
            {
                continue;
            }

            if (!IsOneOf(child.Key, LinuxKeys))
            {
                failures.Add($"'{child.Path}' is no setting. The settings of '{linux.Path}' are {List(LinuxKeys)}.");
                continue;
            }

            CheckHasNoKeys(child, failures);
            if (child.Value is { Length: > 0 } text && !FileModeText.TryParse(text, out _))
            {
                failures.Add(
                    $"'{child.Path}' is '{text}', which is no mode of a file. Write an octal number, as '0660', or "
                    + "names, as 'UserRead, UserWrite'.");
            }
        }
    }

    /// <summary>Says what to write instead of a key that is no setting.</summary>
    private static string Advise(IConfigurationSection section, string key)
    {
        if (IsOneOf(key, ["OfferDirect", "OfferHttp2"]))
        {
            return $"Write '{section.Path}:Mode' instead: 'Auto' offers direct mode and HTTP/2, 'Direct' or 'Http2' "
                + "only that one.";
        }

        if (IsOneOf(key, LinuxKeys))
        {
            return $"Write '{section.Path}:{Linux}:{key}' instead.";
        }

        return IsOneOf(key, [nameof(SharedMemoryTransportOptions.AuthorizePeer)])
            ? "It can only be set in code, by UseSharedMemory."
            : $"The settings of '{section.Path}' are {List([Endpoints, Linux, .. Keys])}.";
    }

    // An empty list or section has an empty value.
    private static void CheckHasNoValue(IConfigurationSection section, string expected, List<string> failures)
    {
        if (!string.IsNullOrEmpty(section.Value))
        {
            failures.Add($"'{section.Path}' is the value '{section.Value}', and has to be {expected}.");
        }
    }

    private static void CheckIsAddress(IConfigurationSection endPoint, List<string> failures)
    {
        if (endPoint.Value is { } text && !SharedMemoryEndPoint.TryParse(text, out _, out var problem))
        {
            failures.Add($"The setting '{endPoint.Path}' is wrong: {problem}");
        }
    }

    private static void CheckValue(IConfigurationSection setting, List<string> failures)
    {
        var mistake = FindWrongChoice(setting) ?? SettingValue.FindMistake(
            setting, static alone => alone.Bind(new SharedMemoryTransportOptions()));
        if (mistake is not null)
        {
            failures.Add(mistake);
        }
    }

    // The binder's own message does not say which names there are.
    private static string? FindWrongChoice(IConfigurationSection setting)
    {
        if (setting.Value is not { Length: > 0 } text)
        {
            return null;
        }

        return IsOneOf(setting.Key, [nameof(SharedMemoryTransportOptions.Mode)])
            ? Choices.FindMistake<SharedMemoryMode>(text, setting.Path)
            : IsOneOf(setting.Key, [nameof(SharedMemoryTransportOptions.RunMode)])
                ? Choices.FindMistake<RunMode>(text, setting.Path)
                : null;
    }

    private static void CheckHasNoKeys(IConfigurationSection setting, List<string> failures)
    {
        foreach (var child in setting.GetChildren())
        {
            failures.Add($"'{child.Path}' is no setting: '{setting.Path}' is one value.");
        }
    }

    private static bool IsOneOf(string key, ReadOnlySpan<string> keys)
    {
        foreach (var known in keys)
        {
            if (known.Equals(key, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }

    private static string List(string[] keys) => string.Join(", ", keys.Order(StringComparer.Ordinal));
}
