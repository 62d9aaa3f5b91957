-- Forwards every instance that Orthanc stores to the DICOM listener of HMAR search, by C-STORE.
-- Needs HMAR search as one of Orthanc's modalities (orthanc-dicom.json).
--
-- The request is a job of Orthanc's own: storing does not wait for it, and it outlives a restart of Orthanc.

local MODALITY = 'hmar'

function OnStoredInstance(instanceId, tags, metadata, origin)
  local request = { Resources = { instanceId }, Synchronous = false }
  RestApiPost('/modalities/' .. MODALITY .. '/store', DumpJson(request, true))
end
