using GrpcShm.Transport.Tests.Platform.Makes;

namespace GrpcShm.Transport.Tests.Platform.Contracts.HesitantLinux;

[Collection(AloneCollection.Name)]
public sealed class HesitantLinuxConnectionTests() : ConnectionContract(new HesitantMake(new LinuxMake()));
