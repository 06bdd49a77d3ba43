using GrpcShm.Transport.Tests.Platform.Makes;

namespace GrpcShm.Transport.Tests.Platform.Contracts.Linux;

[Collection(AloneCollection.Name)]
public sealed class LinuxShortageTests() : ShortageContract(new FailingMake(new LinuxMake()));
