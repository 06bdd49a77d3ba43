using System.Diagnostics.CodeAnalysis;

namespace GrpcShm.EventBus.Client;

/// <summary>
/// The settings of <see cref="EventBusClientOptions"/> that a configuration can set. Settings that it does not name
/// stay as they are.
/// </summary>
[SuppressMessage("Performance", "CA1812", Justification = "Made by the configuration binder.")]
internal sealed class ClientSettings
{
    public string? Name { get; set; }

    public TimeSpan? ConnectTimeout { get; set; }

    public TimeSpan? AcknowledgementTimeout { get; set; }

    public int? MaxPendingSends { get; set; }

    public int? ReceiveWindow { get; set; }

    public bool? DeliverLocally { get; set; }

    public bool? MeasureDestinations { get; set; }

    public void ApplyTo(EventBusClientOptions options)
    {
        options.Name = Name ?? options.Name;
        options.ConnectTimeout = ConnectTimeout ?? options.ConnectTimeout;
        options.AcknowledgementTimeout = AcknowledgementTimeout ?? options.AcknowledgementTimeout;
        options.MaxPendingSends = MaxPendingSends ?? options.MaxPendingSends;
        options.ReceiveWindow = ReceiveWindow ?? options.ReceiveWindow;
        options.DeliverLocally = DeliverLocally ?? options.DeliverLocally;
        options.MeasureDestinations = MeasureDestinations ?? options.MeasureDestinations;
    }
}
