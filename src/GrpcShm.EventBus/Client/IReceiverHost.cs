namespace GrpcShm.EventBus.Client;

/// <summary>The services of a client that its receivers need.</summary>
internal interface IReceiverHost
{
    PayloadCodecs Codecs { get; }

    int MaxPendingSends { get; }

    /// <summary>Which machines of the client wait for which.</summary>
    ClientWaits Waits { get; }

    /// <summary>Notes that the handlers of an event are about to run.</summary>
    HandlingScope BeginHandling(BusEvent received);

    /// <summary>Notes that the handlers have run, and why they failed if they did.</summary>
    void EndHandling(BusEvent received, HandlingScope scope, string? failure);

    /// <summary>Tells of a handler that threw.</summary>
    void TellOfFailedHandler(string name, BusEvent received, Exception exception);

    /// <summary>Tells how many events a receiver's queue has dropped.</summary>
    void TellOfLoss(string name, long dropped);
}
