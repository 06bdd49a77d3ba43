using Microsoft.Extensions.Configuration;

namespace GrpcShm;

/// <summary>
/// A client's section of the configuration. The binder ignores keys that it does not know; here they are refused. One
/// section may serve the connection, the event service's client and its hub, so each client accepts all their keys.
/// </summary>
/// <remarks>Compiled into each library that binds such a section.</remarks>
internal static class ClientSection
{
    /// <summary>The key of the endpoint.</summary>
    public const string Address = "Address";

    /// <summary>The settings of the connection.</summary>
    public static readonly string[] ConnectionKeys =
    [
        Address, "ConnectTimeout", "EnableMultipleConnections", "IdleTimeout", "KeepAlivePingDelay",
        "KeepAlivePingTimeout", "Mode", "RingSize", "RunMode", "RuntimeDirectory", "UseChecksums", "WaitForServer",
    ];

    /// <summary>The settings of the event service's client.</summary>
    public static readonly string[] EventKeys =
    [
        "AcknowledgementTimeout", "ConnectTimeout", "DeliverLocally", "MaxPendingSends", "MeasureDestinations", "Name",
        "ReceiveWindow",
    ];

    // The settings of the event service's hub that its clients have not.
    private static readonly string[] HubKeys =
    [
        "AllowBlockingObservers", "AuthorizationPolicy", "DefaultAcknowledgementTimeout", "DefaultMailboxCapacity",
        "MaxBlockTime", "MaxCopyBlockTime", "MaxEventSize", "MaxGroupsPerMachine", "MaxIdLength", "MaxLanesPerSession",
        "MaxLeases", "MaxLeasesPerUser", "MaxMachines", "MaxMachinesPerSession", "MaxMailboxCapacity", "MaxMailboxSize",
        "MaxObservers", "MaxObserversPerSession", "MaxPartsSize", "MaxPatternWeight", "MaxPatterns",
        "MaxPatternsPerSession", "MaxPendingAcknowledgements", "MaxPendingAcknowledgementsPerSession",
        "MaxRegistrationSize", "MaxRegistrationSizePerSession", "MaxRoutes", "MaxRoutesPerSession", "MaxSessions",
        "MaxSessionsPerUser", "MaxSubscriptionsPerSession", "MaxWaitingSize", "MaxWaitingSizePerSession", "OffersLanes",
        "PolicyKnowsRoutes", "RouteWithdrawalTimeout", "UnclaimedCapacity", "UnclaimedTimeout",
    ];

    // Properties of the options that no text can be bound to.
    private static readonly string[] InCodeAlone =
    [
        "Authorize", "AuthorizeServer", "Codecs", "ConfigureHandler", "ConnectPipeline", "Json", "KnownMessages",
        "KnownTypes", "Lanes", "LoggerFactory", "MeterFactory", "SendPipeline",
    ];

    /// <summary>Refuses what the binder would ignore.</summary>
    /// <param name="configuration">
    /// The section. A whole configuration is not checked: it has the settings of the whole program.
    /// </param>
    /// <param name="keys">The settings of the client that asks, for the message.</param>
    /// <exception cref="ArgumentException">A key is no setting; the message says which ones are.</exception>
    public static void Check(IConfiguration configuration, string[] keys)
    {
        if (configuration is not IConfigurationSection section)
        {
            return;
        }

        // A section of a file may have a value, too: that of an environment variable with the same name, which is meant
        // for something else.
        var settings = section.GetChildren().ToList();
        if (settings.Count == 0 && !string.IsNullOrEmpty(section.Value))
        {
            throw new ArgumentException(
                $"'{section.Path}' is the value '{section.Value}', and has to be a section with settings: "
                + $"{string.Join(", ", keys)}.",
                nameof(configuration));
        }

        var failures = settings.Select(setting => WhyWrong(section, setting, keys)).OfType<string>().ToList();
        if (failures.Count > 0)
        {
            throw new ArgumentException(string.Join(" ", failures), nameof(configuration));
        }
    }

    private static string? WhyWrong(IConfigurationSection section, IConfigurationSection setting, string[] keys)
    {
        if (SectionRemark.Is(setting.Key))
        {
            return null;
        }

        if (Has(InCodeAlone, setting.Key))
        {
            return $"'{setting.Path}' can only be set in code.";
        }

        if (!Has(ConnectionKeys, setting.Key) && !Has(EventKeys, setting.Key) && !Has(HubKeys, setting.Key))
        {
            return $"'{setting.Path}' is no setting. The settings of '{section.Path}' are {string.Join(", ", keys)}.";
        }

        return setting.GetChildren().Any() ? $"'{setting.Path}' has to be one value, and is a section." : null;
    }

    private static bool Has(string[] keys, string key) => keys.Contains(key, StringComparer.OrdinalIgnoreCase);
}
